from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlmodel import Session

from oms.inventory.v1 import inventory_pb2 as pb
from services.kernel.errors import AlreadyExists, InvalidArgument
from services.runtime.db import Database, _engine
from tests import postgres
from tests.threads import at_once

pytestmark = pytest.mark.on_postgres


def put(session: Session, sku: str, on_hand: object = 0, seen_at: datetime | None = None, notes: object = None) -> None:
    stock_row = _stock_row(session)
    session.execute(stock_row.insert().values(sku=sku, on_hand=on_hand, is_open=True, seen_at=seen_at, notes=notes))


def _stock_row(session: Session):  # type: ignore[no-untyped-def]  # a SQLAlchemy Table from the test's metadata
    from tests.runtime.conftest import runtime_metadata

    return runtime_metadata().tables["shelf"]


def on_hand(database: Database, sku: str) -> int:
    with database.reading() as session:
        return int(session.execute(text("SELECT on_hand FROM shelf WHERE sku = :sku"), {"sku": sku}).scalar_one())


def test_an_instant_comes_back_aware_in_utc_whatever_zone_it_was_given_in(database: Database) -> None:
    given = datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))

    with database.transaction() as session:
        put(session, "A", seen_at=given, notes={"k": [1, "ü"]})
    with database.reading() as session:
        row = session.execute(_stock_row(session).select()).one()

    assert row.seen_at == given
    assert row.seen_at.utcoffset() == timedelta(0)
    assert row.is_open is True
    assert row.notes == {"k": [1, "ü"]}


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(StatementError), database.transaction() as session:
        put(session, "A", seen_at=datetime(2026, 1, 1))  # noqa: DTZ001  # the mistake under test


def test_a_text_where_a_number_belongs_is_refused_by_the_database(database: Database) -> None:
    with pytest.raises(DBAPIError), database.transaction() as session:
        session.execute(text("INSERT INTO shelf (sku, on_hand, is_open) VALUES ('A', 'ten', :is_open)"), {"is_open": 1})


def test_a_broken_check_leaves_nothing_of_the_transaction(database: Database) -> None:
    def put_one_good_and_one_bad() -> None:
        with database.transaction() as session:
            put(session, "A", 1)
            put(session, "B", -1)

    with pytest.raises(IntegrityError):
        put_one_good_and_one_bad()

    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM shelf")).scalar_one() == 0


def test_many_writers_at_once_all_get_through(database: Database) -> None:
    with database.transaction() as session:
        put(session, "A", 0)

    def add() -> None:
        with database.transaction() as session:
            session.execute(text("UPDATE shelf SET on_hand = on_hand + 1 WHERE sku = 'A'"))

    at_once([add] * 200, threads=12)

    assert on_hand(database, "A") == 200


def test_the_naive_twin_that_reads_then_writes_loses_updates(database: Database) -> None:
    """Shows that the harness bites: without the conditional update, concurrent writers overwrite each other."""
    with database.transaction() as session:
        put(session, "A", 0)
    all_have_read = threading.Barrier(4, timeout=10)

    def add() -> None:
        seen = on_hand(database, "A")
        all_have_read.wait()
        with database.transaction() as session:
            session.execute(text("UPDATE shelf SET on_hand = :n WHERE sku = 'A'"), {"n": seen + 1})

    at_once([add] * 4)

    assert on_hand(database, "A") == 1


def test_a_database_that_takes_connections_and_says_nothing_is_away_after_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = _engine(f"postgresql+psycopg://orders:secret@127.0.0.1:{silent.getsockname()[1]}/orders")

        with pytest.raises(OperationalError, match="timeout"):
            engine.connect()


def test_a_connection_whose_other_end_is_gone_is_noticed() -> None:
    engine = _engine(postgres.server_url().replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        notified = driver.info.get_parameters()
    engine.dispose()

    # three questions, five seconds apart, to one that has been silent for ten
    assert [notified[f"keepalives_{name}"] for name in ("idle", "interval", "count")] == ["10", "5", "3"]
    assert notified["tcp_user_timeout"] == "30000"


def test_a_database_whose_connections_are_all_in_use_is_away_and_no_bug_of_ours(database: Database) -> None:
    engine = _engine(database.url, free_within_s=0.01)
    with ExitStack() as used:
        for _ in range(32):
            used.enter_context(engine.connect())

        with pytest.raises(OperationalError, match="limit of size 8 overflow 24 reached"):
            engine.connect()
    with engine.connect() as freed:
        assert freed.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


def request(order_id: str = "ord_1") -> pb.ReleaseReservationRequest:
    return pb.ReleaseReservationRequest(request_id="key", order_id=order_id)


def test_a_database_that_only_reads_is_away_and_no_bug_of_ours(database: Database) -> None:
    read_only = "PRAGMA query_only = ON" if database.is_sqlite else "SET TRANSACTION READ ONLY"

    def write() -> None:
        with database.transaction() as session:
            session.execute(text(read_only))
            session.execute(
                text("INSERT INTO answers (request_id, request_sha256, answered_at) VALUES ('a', 'b', 'c')")
            )

    with pytest.raises(OperationalError):
        write()


def test_a_repeated_request_gets_the_first_answer_and_acts_once(database: Database) -> None:
    acted: list[int] = []

    def act(_: Session) -> pb.ReleaseReservationResponse:
        acted.append(1)
        return pb.ReleaseReservationResponse(released_quantity=len(acted))

    answers = [database.once("key", request(), pb.ReleaseReservationResponse, act).released_quantity for _ in range(3)]

    assert answers == [1, 1, 1]
    assert acted == [1]


def test_the_same_id_for_another_request_is_refused(database: Database) -> None:
    def act(_: Session) -> pb.ReleaseReservationResponse:
        return pb.ReleaseReservationResponse()

    database.once("key", request("ord_1"), pb.ReleaseReservationResponse, act)

    with pytest.raises(AlreadyExists, match="another request"):
        database.once("key", request("ord_2"), pb.ReleaseReservationResponse, act)


@pytest.mark.parametrize("request_id", ["", "k" * 201, "k\0"])
def test_an_empty_an_endless_or_an_unprintable_request_id_is_refused(database: Database, request_id: str) -> None:
    def once(under: str) -> None:
        database.once(under, request(), pb.ReleaseReservationResponse, lambda _: pb.ReleaseReservationResponse())

    once("k" * 200)
    with pytest.raises(InvalidArgument, match="business key"):
        once(request_id)


def test_an_act_that_fails_frees_its_request_id(database: Database) -> None:
    def fail(_: Session) -> pb.ReleaseReservationResponse:
        raise InvalidArgument("BAD", "bad")

    with pytest.raises(InvalidArgument):
        database.once("key", request(), pb.ReleaseReservationResponse, fail)
    answer = database.once(
        "key", request(), pb.ReleaseReservationResponse, lambda _: pb.ReleaseReservationResponse(released_quantity=7)
    )

    assert answer.released_quantity == 7


def test_fifty_at_once_under_one_id_act_once(database: Database) -> None:
    acted: list[datetime] = []

    def act(session: Session) -> pb.ReleaseReservationResponse:
        acted.append(datetime.now(UTC))
        put(session, f"S{len(acted)}")
        return pb.ReleaseReservationResponse(released_quantity=42)

    def ask() -> int:
        return int(database.once("key", request(), pb.ReleaseReservationResponse, act).released_quantity)

    answers = at_once([ask] * 50, threads=12)

    assert answers == [42] * 50
    assert len(acted) == 1


@pytest.fixture
def engine() -> Iterator[Engine]:
    url = postgres.new_database_url()
    engine = _engine(url)
    yield engine
    engine.dispose()
    postgres.drop(url)


def ended_while_it_rested(engine: Engine, rested_s: float) -> None:
    """Use a connection, let it rest, and have the server end it."""
    event.listen(
        engine, "checkin", lambda _, record: record.info.update({"oms.rests_since": time.monotonic() - rested_s})
    )
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with psycopg.connect(postgres.server_url(), autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_a_connection_that_ended_while_it_rested_is_replaced_before_anybody_gets_it(engine: Engine) -> None:
    ended_while_it_rested(engine, rested_s=60)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_one_that_ended_a_moment_ago_fails_once_and_is_replaced(engine: Engine) -> None:
    ended_while_it_rested(engine, rested_s=-60)

    with pytest.raises(OperationalError), engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
