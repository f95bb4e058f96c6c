"""Fixtures of notifications: its database, a mail sink that takes everything, and a house that sends through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.notifications import models
from services.notifications.sink import MailSink
from services.runtime.db import Database
from tests.conftest import MakeDatabase
from tests.notifications.house import House


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database(models.Table.metadata, "notifications")


@pytest.fixture
def sink() -> Iterator[MailSink]:
    sink = MailSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def house(database: Database, sink: MailSink) -> House:
    return House(database, sink.port)
