from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.kernel.errors import Refused
from services.runtime import outbox
from services.runtime import relay as relay_module
from services.runtime.db import Database
from services.runtime.grpc_client import RemoteBug, Unreachable
from services.runtime.outbox import OutboxRow
from services.runtime.relay import BATCH, MAX_REFUSALS, Relay, Route

pytestmark = pytest.mark.on_postgres

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
    assert [] not in receiver.batches
    assert [row.order_id for row in receiver.rows] == ["ord_2", "ord_1"]
    with database.reading() as session:
        assert outbox.backlog(session)[2] == 1
    wakes: list[str] = []
    database.on_emit(lambda: wakes.append("any"), frozenset({"shipped"}))
    with database.transaction() as session:
        assert outbox.revive(session, poison)
    assert wakes == ["any"]  # whose kind it is, its relay finds out


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


def test_a_refused_row_is_tried_again_after_twice_the_time(database: Database) -> None:
    tries: list[float] = []
    watch = Watch()
    began = watch.now

    def refuse(_: Sequence[OutboxRow]) -> list[str]:
        tries.append((watch.now - began).total_seconds())
        raise Refused("POISON", "no")

    route = Route(KINDS, refuse)
    relay = Relay(database, [route], watch)
    emit(database, "", "poison")

    for _ in range(300):
        relay.send_batch(route)
        watch.now += timedelta(milliseconds=100)

    # in the batch and alone each time; 0.2, 0.4, 0.8, … seconds apart, and then it is a dead letter
    assert tries[::2] == [0, 0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4]
    with database.reading() as session:
        assert outbox.backlog(session)[2] == 1


def test_rows_that_are_of_no_order_do_not_stop_each_other(database: Database) -> None:
    receiver, watch = Receiver(), Watch()
    route = Route(KINDS, receiver.deliver)
    relay = Relay(database, [route], watch)
    emit(database, "", "poison")
    emit(database, "", n=1)

    relay.send_batch(route)
    assert [row.detail["n"] for row in receiver.rows] == [1]

    emit(database, "", n=2)
    relay.send_batch(route)
    assert [row.detail["n"] for row in receiver.rows] == [1, 2]


def test_what_one_receiver_refuses_does_not_stop_what_another_gets_of_the_order(database: Database) -> None:
    receiver, watch = Receiver(), Watch()
    routes = [Route(frozenset({"poison"}), receiver.deliver), Route(frozenset({"shipped"}), receiver.deliver)]
    relay = Relay(database, routes, watch)
    emit(database, "ord_1", "poison")
    emit(database, "ord_1")

    for route in routes:
        relay.send_batch(route)

    assert receiver.batches == [["ord_1"]]


def test_a_full_batch_says_that_there_may_be_more(database: Database) -> None:
    receiver = Receiver()
    route = Route(KINDS, receiver.deliver)
    relay = Relay(database, [route], Watch())
    with database.transaction() as session:
        for n in range(BATCH + 1):
            outbox.emit(session, kind="shipped", now=Watch().now, order_id=f"ord_{n}", detail={})

    assert [relay.send_batch(route) for _ in range(3)] == [True, False, False]
    assert [len(batch) for batch in receiver.batches] == [BATCH, 1]


def test_an_order_goes_on_behind_however_many_rows_of_orders_that_wait(database: Database) -> None:
    receiver, watch = Receiver(), Watch()
    route = Route(KINDS, receiver.deliver)
    relay = Relay(database, [route], watch)
    emit(database, "ord_stuck", "poison")
    relay.send_batch(route)
    with database.transaction() as session:
        for n in range(2 * BATCH + 1):
            outbox.emit(session, kind="shipped", now=watch.now, order_id="ord_stuck", detail={"n": n})
    emit(database, "ord_healthy")

    relay.send_batch(route)

    assert [row.order_id for row in receiver.rows] == ["ord_healthy"]


def test_only_the_dead_letter_that_was_asked_for_is_revived_and_it_is_tried_as_often_again(database: Database) -> None:
    receiver, watch = Receiver(), Watch()
    route = Route(KINDS, receiver.deliver)
    relay = Relay(database, [route], watch)
    mail = emit(database, "ord_1", "poison")
    emit(database, "ord_2", "poison")
    drain(relay, route, watch)

    with database.transaction() as session:
        assert outbox.revive(session, mail)
        assert not outbox.revive(session, mail)
    with database.reading() as session:
        waiting, _, dead = outbox.backlog(session)
        [row] = outbox.unsent(session, watch.now, 100, KINDS)

    assert (waiting, dead) == (1, 1)
    assert (row.fact_id, row.attempts) == (mail, 0)


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


def test_a_commit_wakes_the_relay_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "POLL", timedelta(hours=1))
    receiver = Receiver()
    relay = Relay(database, [Route(KINDS, receiver.deliver)])
    relay.start()
    emit(database, "ord_1")

    came = receiver.arrived.wait(timeout=30)  # it would look by itself in an hour
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

    relay.stop()

    assert not any(thread.is_alive() for thread in relay._threads)
    assert receiver.rows == []  # it is in the outbox for the next life
