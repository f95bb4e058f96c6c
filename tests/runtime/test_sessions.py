from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from services.runtime.db import Database
from services.runtime.sessions import Memory, unchanging
from tests.runtime.conftest import runtime_metadata
from tests.threads import at_once

pytestmark = pytest.mark.on_postgres

STOCK_ROW = runtime_metadata().tables["shelf"]


class Reader:
    """Counts how often a value had to be loaded."""

    def __init__(self, value: str = "kept") -> None:
        self.loads = 0
        self._value = value

    def read(self, session: Session, key: str = "key", *, is_taken: bool = False) -> str:
        return unchanging(session, key, self._load, is_small=lambda value: len(value) < 10, is_taken=is_taken)

    def _load(self) -> str:
        self.loads += 1
        return self._value


def test_what_a_reader_has_seen_is_loaded_once_for_readers_and_writers(database: Database) -> None:
    reader = Reader()

    with database.reading() as session:
        first = reader.read(session)
    with database.reading() as session:
        second = reader.read(session)
    with database.transaction() as session:
        third = reader.read(session)

    assert (first, second, third, reader.loads) == ("kept", "kept", "kept", 1)


@pytest.mark.parametrize(("is_taken", "loads"), [(True, 1), (False, 2)])
def test_what_a_writer_has_taken_and_seen_is_remembered_once_it_is_committed(
    database: Database, is_taken: bool, loads: int
) -> None:
    reader = Reader()

    with database.transaction() as session:
        reader.read(session, is_taken=is_taken)
    with database.reading() as session:
        reader.read(session)

    assert reader.loads == loads


def test_what_a_writer_has_seen_and_taken_back_is_not_remembered(database: Database) -> None:
    reader = Reader()

    def fail() -> None:
        with database.transaction() as session:
            reader.read(session, is_taken=True)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as session:
        reader.read(session)

    assert reader.loads == 2


def test_large_values_are_loaded_each_time(database: Database) -> None:
    reader = Reader("longer than ten characters")

    for _ in range(2):
        with database.reading() as session:
            reader.read(session)

    assert reader.loads == 2


def test_two_databases_remember_nothing_of_each_other(database: Database, other: Database) -> None:
    here, there = Reader("here"), Reader("there")

    with database.reading() as session:
        assert here.read(session) == "here"
    with other.reading() as session:
        assert there.read(session) == "there"


def test_the_oldest_is_forgotten_and_threads_do_not_disturb_each_other() -> None:
    memory = Memory(most=10)

    def fill(thread: int) -> None:
        for number in range(500):
            memory.keep((thread, number), number)

    at_once([partial(fill, thread) for thread in range(8)])
    memory.keep("last", 1)

    assert memory.get("last") == 1
    assert sum(memory.get((thread, number)) is not None for thread in range(8) for number in range(500)) == 9


def test_a_reader_sees_one_moment_however_often_it_looks(database: Database) -> None:
    count = text("SELECT count(*) FROM shelf")
    with database.reading() as session:
        before = session.execute(count).scalar_one()
        with database.transaction() as writer:
            writer.execute(STOCK_ROW.insert(), {"sku": "A", "on_hand": 1, "is_open": True})
        after = session.execute(count).scalar_one()

    assert (before, after) == (0, 0)


def test_a_failed_statement_leaves_nothing_of_the_transaction(database: Database) -> None:
    def put_twice() -> None:
        with database.transaction() as session:
            for _ in range(2):
                session.execute(STOCK_ROW.insert(), {"sku": "A", "on_hand": 1, "is_open": True})

    with pytest.raises(IntegrityError):
        put_twice()

    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM shelf")).scalar_one() == 0
