"""Fixtures that every test may use: databases of both kinds."""

from __future__ import annotations

import faulthandler
import gc
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import MetaData

from services.runtime.db import Database
from tests import postgres, statements
from tests.databases import migrated_url

ROOT = Path(__file__).resolve().parent.parent

# a busy machine may keep any test waiting: how long an example takes says nothing about it
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

MakeDatabase = Callable[[MetaData, str], Database]


@pytest.fixture(params=["sqlite", "postgres"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Make a migrated, empty database of a service: once on SQLite, once on PostgreSQL."""
    made: list[Database] = []

    def make(metadata: MetaData, service: str) -> Database:
        url = migrated_url(request.param, service, tmp_path)
        database = Database(url, metadata, ROOT / "services" / service / "migrations")
        made.append(database)
        return database

    yield make
    for database in made:
        database.close()
        if not database.is_sqlite:
            postgres.drop(database.url)


LONG = ("bench/", "console/test_browser", "faults/", "system/test_a4_browser", "system/test_a8_browser", "whole/")
"""Tests of half a minute and more: begun last, each would keep one core busy while the other waits for the end."""


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Nothing of ten thousand tests is garbage before they have run: looking for it costs seconds, while they are found and each time after."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first; all others stay in their order. What says nothing new on PostgreSQL is a proof there."""
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(LONG))
    for item in items:
        if is_on_postgres(item) and not item.get_closest_marker("on_postgres"):
            item.add_marker("prove")


def is_on_postgres(item: pytest.Item) -> bool:
    """Whether this is the PostgreSQL half of a test on `make_database`."""
    case = getattr(item, "callspec", None)
    return case is not None and case.params.get("make_database") == "postgres"


STDERR = pytest.StashKey[int]()
"""Where stacks are shown: while a test runs, its output goes elsewhere."""


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is captured yet, and no database is open."""
    config.stash[STDERR] = os.dup(2)
    statements.compile_once()


GRACE_S = float(os.environ.get("OMS_TEST_GRACE_S", "60"))
"""How long a test may go on after its timeout has been raised in it: its fixtures and threads have deadlines of their own."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that outlives its timeout takes its process with it, and all stacks are shown.

    The timeout is raised in the main thread, once; whoever waits for another thread after that would wait for ever.
    """
    mark = item.get_closest_marker("timeout")
    allowed = mark.args[0] if mark else item.config.getoption("timeout") or item.config.getini("timeout")
    with ended_after(float(allowed) + GRACE_S, item.config):
        return (yield)


@contextmanager
def ended_after(seconds: float, config: pytest.Config) -> Iterator[None]:
    """The process shows its stacks and ends when this takes longer."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=config.stash[STDERR])
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """PostgreSQL ends with the tests, and its files go."""
    with ended_after(GRACE_S, session.config):
        postgres.stop()
