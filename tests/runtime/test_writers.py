from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from services.kernel.errors import Refused
from services.runtime import writers
from services.runtime.db import Database
from tests.runtime.conftest import runtime_metadata
from tests.threads import Crew, at_once, until

WRITERS = 20


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'shelf.db'}", runtime_metadata(), tmp_path)
    runtime_metadata().create_all(made.engine)
    yield made
    made.close()


def put(session: Session, sku: str) -> None:
    stock_row = runtime_metadata().tables["shelf"]
    session.execute(stock_row.insert().values(sku=sku, on_hand=0, is_open=True))


def on_disk(database: Database, sku: str) -> bool:
    """Whether another connection sees the row."""
    with sqlite3.connect(database.url.removeprefix("sqlite:///")) as other:
        found: tuple[int] = other.execute("SELECT count(*) FROM shelf WHERE sku = ?", (sku,)).fetchone()
    return found == (1,)


def behind_one_that_is_busy(database: Database, write: Callable[[str], bool], count: int) -> list[Future[bool]]:
    """`write` of "1", "2", … by as many threads, all of which wait while one more writes "first"."""
    with Crew(count) as crew, database.transaction() as session:
        put(session, "first")
        written = [crew.submit(write, str(number)) for number in range(1, count + 1)]
        until(lambda: waiting(database) == count)
    return written


def waiting(database: Database) -> int:
    assert database._writers is not None
    return database._writers._waiting


def test_writers_that_wait_share_a_commit_and_none_returns_before_it(database: Database) -> None:
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)

    def write(sku: str) -> bool:
        with database.transaction() as session:
            put(session, sku)
        return on_disk(database, sku)

    written = behind_one_that_is_busy(database, write, WRITERS)

    assert [each.result() for each in written] == [True] * WRITERS
    assert on_disk(database, "first")
    assert len(commits) == 1


def test_one_that_fails_takes_back_its_own_part_alone(database: Database) -> None:
    def write(sku: str) -> bool:
        with database.transaction() as session:
            put(session, sku)
            if int(sku) % 2:
                raise Refused("ODD", "odd numbers are refused")
        return True

    written = behind_one_that_is_busy(database, write, WRITERS)

    refused = [isinstance(each.exception(), Refused) for each in written]
    assert refused == [True, False] * (WRITERS // 2)
    assert [on_disk(database, str(number)) for number in range(1, WRITERS + 1)] == [False, True] * (WRITERS // 2)


def leave_its_savepoint(session: Session) -> None:
    session.execute(text("RELEASE part"))


def fill_the_disk(session: Session) -> None:
    session.execute(text("ROLLBACK"))  # what SQLite does by itself when its disk is full


def send_refused_rows(session: Session) -> None:
    session.connection()
    session.rollback()  # what the ORM does by itself when rows that it sends are refused


@pytest.mark.parametrize("fail", [leave_its_savepoint, fill_the_disk, send_refused_rows])
def test_a_part_that_cannot_be_taken_back_alone_fails_for_all_and_blocks_nobody(
    database: Database, fail: Callable[[Session], None]
) -> None:
    def write(sku: str) -> bool:
        with database.transaction() as session:
            put(session, sku)
            fail(session)
            raise RuntimeError("it cannot be taken back alone")

    with pytest.raises(OperationalError, match="took the transaction back"):
        behind_one_that_is_busy(database, write, 1)

    assert not on_disk(database, "first")
    with database.transaction() as session:
        put(session, "after")
    assert on_disk(database, "after")


def test_a_commit_that_fails_fails_for_all_who_share_it(database: Database) -> None:
    def fail(_connection: object) -> None:
        raise OSError("the disk is away")

    event.listen(database.engine, "commit", fail)

    def write(sku: str) -> bool:
        with database.transaction() as session:
            put(session, sku)
        return True

    with pytest.raises(OSError, match="away"):
        behind_one_that_is_busy(database, write, 3)
    event.remove(database.engine, "commit", fail)

    assert not on_disk(database, "first")
    assert write("after")


def test_a_commit_left_to_one_who_takes_his_time_is_not_waited_for_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "BUSY_S", 1.0)
    is_refused = threading.Event()

    def linger(sku: str) -> bool:
        with database.transaction() as session:
            put(session, sku)
            is_refused.wait(20)
        return True

    with pytest.raises(OperationalError, match="shared with others did not come"):
        behind_one_that_is_busy(database, linger, 1)
    is_refused.set()

    until(
        lambda: on_disk(database, "first")
    )  # stored after all, as after any lost answer: the same request again finds it
    with database.transaction() as session:
        put(session, "after")


def test_a_writer_whose_wait_is_broken_off_leaves_no_place_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database._writers is not None

    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as breaking:
        breaking.setattr(database._writers._changed, "wait_for", interrupt)
        with pytest.raises(KeyboardInterrupt), database.transaction():
            pass

    assert waiting(database) == 0


def test_many_groups_lose_nothing(database: Database) -> None:
    def write(number: int) -> None:
        with database.transaction() as session:
            put(session, str(number))

    at_once([partial(write, number) for number in range(1000)], threads=WRITERS, within_s=150)

    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM shelf")).scalar_one() == 1000
