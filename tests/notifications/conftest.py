"""Fixtures of notifications: its database, a mail sink that takes everything, and a sender through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.notifications import models
from services.notifications.sink import MailSink
from services.runtime.db import Database
from tests.conftest import MakeDatabase
from tests.notifications.desk import MailDesk


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
def desk(database: Database, sink: MailSink) -> MailDesk:
    return MailDesk(database, sink.port)
