from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from services.kernel.errors import Refused
from services.runtime import outbox
from services.runtime.db import Database
from services.runtime.grpc_client import RemoteBug, Unreachable
from services.runtime.outbox import OutboxRow
from services.runtime.relay import MAX_REFUSALS, Relay, Route

KINDS = frozenset({"shipped", "poison"})


class Receiver:
    """Keeps what arrives; is away or refuses a kind when told."""

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self.batches: list[list[str]] = []
        self.absences = 0
        self.arrived = threading.Event()

    def deliver(self, rows: Sequence[OutboxRow]) -> list[str]:
        if self.absences:
            self.absences -= 1
            raise Unreachable("away")
        if any(row.kind == "poison" for row in rows):
            raise Refused("POISON", "this row is bad")
        self.rows.extend(rows)
        self.batches.append([row.order_id for row in rows])
        self.arrived.set()
        return [row.fact_id for row in rows]


class Watch:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def emit(database: Database, order_id: str, kind: str = "shipped", n: int = 0) -> str:
    with database.transaction() as session:
        return outbox.emit(
            session, kind=kind, now=datetime(2026, 11, 23, tzinfo=UTC), order_id=order_id, detail={"n": n}
        )


def drain(relay: Relay, route: Route, watch: Watch, rounds: int = 40) -> None:
    for _ in range(rounds):
        relay.send_batch(route)
        watch.now += timedelta(minutes=1)


def test_rows_arrive_once_in_order_and_are_not_sent_again(database: Database) -> None:
    receiver, watch = Receiver(), Watch()
    route = Route(KINDS, receiver.deliver)
    relay = Relay(database, [route], watch)
    for n in range(5):
        emit(database, "ord_1", n=n)

    drain(relay, route, watch)

    assert [row.detail["n"] for row in receiver.rows] == [0, 1, 2, 3, 4]
    assert [row.sequence for row in receiver.rows] == [1, 2, 3, 4, 5]


def test_a_poisoned_row_stops_only_itself_and_ends_as_a_dead_letter(database: Database) -> None:
    receiver, watch = Receiver(), Watch()
    route = Route(KINDS, receiver.deliver)
    relay = Relay(database, [route], watch)
    poison = emit(database, "ord_1", "poison")
    emit(database, "ord_1", n=1)
    emit(database, "ord_2", n=2)

    relay.send_batch(route)
    first = [row.order_id for row in receiver.rows]
    drain(relay, route, watch)

    assert first == ["ord_2"]  # of the poisoned order nothing overtakes while the row is still tried
    assert [row.order_id for row in receiver.rows] == ["ord_2", "ord_1"]
    with database.reading() as session:
        assert outbox.backlog(session)[2] == 1
    with database.transaction() as session:
        assert outbox.revive(session, poison)


def test_a_row_that_breaks_its_receiver_stops_only_itself(database: Database) -> None:
    arrived: list[str] = []

    def deliver(rows: Sequence[OutboxRow]) -> list[str]:
        if any(row.kind == "poison" for row in rows):
            raise RemoteBug("INTERNAL: it fell over")
        arrived.extend(row.order_id for row in rows)
        return [row.fact_id for row in rows]

    watch, route = Watch(), Route(KINDS, deliver)
    relay = Relay(database, [route], watch)
    emit(database, "ord_1", "poison")
    emit(database, "ord_2")

    relay.send_batch(route)
    first = list(arrived)
    drain(relay, route, watch)

    assert first == ["ord_2"]
    assert arrived == ["ord_2"]
    with database.reading() as session:
        assert outbox.backlog(session)[2] == 1


def test_a_refused_row_is_tried_a_bounded_number_of_times(database: Database) -> None:
    tries: list[int] = []

    def refuse(rows: Sequence[OutboxRow]) -> list[str]:
        tries.append(len(rows))
        raise Refused("POISON", "no")

    watch = Watch()
    route = Route(KINDS, refuse)
    relay = Relay(database, [route], watch)
    emit(database, "ord_1", "poison")

    drain(relay, route, watch)

    assert len(tries) == 2 * MAX_REFUSALS  # once in the batch, once alone, each round


def test_a_receiver_that_is_away_gets_everything_when_it_is_back(database: Database) -> None:
    receiver = Receiver()
    receiver.absences = 1
    relay = Relay(database, [Route(KINDS, receiver.deliver)])
    relay.start()
    emit(database, "ord_1")

    came = receiver.arrived.wait(timeout=15)
    relay.stop()

    assert came
    assert len(receiver.rows) == 1


def test_a_commit_wakes_the_relay_at_once(database: Database) -> None:
    receiver = Receiver()
    relay = Relay(database, [Route(KINDS, receiver.deliver)])
    relay.start()
    emit(database, "ord_1")

    came = receiver.arrived.wait(timeout=0.9)  # less than the polling interval
    relay.stop()

    assert came


def test_rows_that_come_while_the_first_waits_for_company_are_sent_with_it(database: Database) -> None:
    receiver = Receiver()
    rests: list[float] = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        emit(database, "ord_2")

    relay = Relay(database, [Route(KINDS, receiver.deliver, timedelta(milliseconds=20))], rest=rest)
    relay.start()
    emit(database, "ord_1")

    assert receiver.arrived.wait(timeout=15)
    relay.stop()

    assert receiver.batches[0] == ["ord_1", "ord_2"]
    assert rests[0] == 0.02


def test_a_route_that_gathers_nothing_sends_at_once(database: Database) -> None:
    receiver = Receiver()
    rests: list[float] = []
    relay = Relay(database, [Route(KINDS, receiver.deliver)], rest=rests.append)
    relay.start()
    emit(database, "ord_1")

    assert receiver.arrived.wait(timeout=15)
    relay.stop()

    assert rests == []


def test_a_relay_that_gathers_stops_at_once(database: Database) -> None:
    receiver = Receiver()
    relay = Relay(database, [Route(KINDS, receiver.deliver, timedelta(hours=1))])
    relay.start()
    emit(database, "ord_1")

    began = time.monotonic()
    relay.stop()

    assert time.monotonic() - began < 5
    assert receiver.rows == []  # it is in the outbox for the next life


def test_a_rolled_back_change_tells_nobody(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            outbox.emit(session, kind="shipped", now=datetime.now(UTC), order_id="ord_1", detail={})
            raise Refused("NO", "no")

    _ignoring_refusal(fail)

    with database.reading() as session:
        assert outbox.backlog(session)[0] == 0


def test_messages_of_a_transaction_are_numbered_as_they_were_told_however_their_details_come(
    database: Database,
) -> None:
    def tell(session: Session, order_id: str, word: str, *, is_computed: bool) -> None:
        detail = {"word": word}
        now = datetime.now(UTC)
        outbox.emit(
            session, kind="shipped", now=now, order_id=order_id, detail=(lambda: detail) if is_computed else detail
        )

    with database.transaction() as session:
        tell(session, "ord_2", "a", is_computed=False)
        tell(session, "ord_1", "b", is_computed=False)
        tell(session, "ord_2", "c", is_computed=True)
        tell(session, "ord_2", "d", is_computed=False)
        tell(session, "ord_1", "e", is_computed=True)
    with database.transaction() as session:
        tell(session, "ord_2", "f", is_computed=False)
    with database.reading() as session:
        rows = outbox.unsent(session, datetime.now(UTC), 100, KINDS)

    told = {
        order_id: [(row.sequence, row.detail["word"]) for row in rows if row.order_id == order_id]
        for order_id in ("ord_1", "ord_2")
    }
    assert told == {"ord_1": [(1, "b"), (2, "e")], "ord_2": [(1, "a"), (2, "c"), (3, "d"), (4, "f")]}


def test_details_that_sum_an_order_never_miss_a_concurrent_change(database: Database) -> None:
    """Twenty transactions of one order each add one and tell the sum: the newest sequence tells the whole sum."""
    from sqlalchemy import text

    with database.transaction() as session:
        session.execute(
            text("INSERT INTO shelf (sku, on_hand, is_open) VALUES ('seed', 0, :yes)"), {"yes": _yes(database)}
        )

    def add(n: int) -> None:
        with database.transaction() as session:
            session.execute(
                text("INSERT INTO shelf (sku, on_hand, is_open) VALUES (:sku, 1, :yes)"),
                {"sku": f"s{n}", "yes": _yes(database)},
            )
            outbox.emit(
                session,
                kind="shipped",
                now=datetime.now(UTC),
                order_id="ord_1",
                detail=lambda: {"sum": int(session.execute(text("SELECT sum(on_hand) FROM shelf")).scalar_one())},
            )

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(add, range(20)))
    with database.reading() as session:
        rows = outbox.unsent(session, datetime.now(UTC), 100, KINDS)

    assert {row.sequence: row.detail["sum"] for row in rows} == {n: n for n in range(1, 21)}


def _yes(database: Database) -> object:
    return 1 if database.is_sqlite else True


def _ignoring_refusal(act: Callable[[], None]) -> None:
    try:
        act()
    except Refused:
        return
