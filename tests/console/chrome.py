"""Debian's Chromium, driven without its own errands, and the application served on a free port for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import playwright
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright

from tests.threads import until

_PROGRAMS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(RuntimeError):
    """There is no browser to look at the pages with."""


def available() -> str:
    """Where Chromium is. Without it the test is skipped with that reason; where CI=true, it fails."""
    try:
        return program()
    except ChromiumMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


def program() -> str:
    """Where Chromium is; ChromiumMissing says how to get it."""
    found = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise ChromiumMissing("the console's browser tests need Chromium: apt-get install chromium")
    if not _driver_starts():
        raise ChromiumMissing("the driver of the browser tests does not start here: apt-get install libatomic1")
    return found


@cache
def _driver_starts() -> bool:
    """Whether the program that comes with playwright finds its libraries."""
    node = Path(playwright.__file__).parent / "driver" / "node"
    return subprocess.run([node, "--version"], capture_output=True, check=False, timeout=60).returncode == 0


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    path = available()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The application's address while it is served from a thread; `host` and `port` are where it listens."""
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", lifespan="off", access_log=False)
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, args=([socket],), daemon=True)
    thread.start()
    try:
        until(lambda: server.started, within_s=30)
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        socket.close()


def vendored(name: str) -> str:
    """The text of a file of tests/console/vendor."""
    return (Path(__file__).parent / "vendor" / name).read_text("utf-8")
