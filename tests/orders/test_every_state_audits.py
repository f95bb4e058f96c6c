"""The audit is clean in every state that an order can be in: a walk a row, audited after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.orders.domain import changes, order, reviews
from services.orders.domain.status import STATUS_VALUES
from services.orders.lifecycle import cancel
from services.orders.masterdata import customers
from services.orders.store import changes as change_store
from services.runtime.db import Database
from tests.orders.change_desk import answer, apply, asked, propose, quantity, record, withdraw
from tests.orders.change_desk import reviews as reviews_of
from tests.orders.desk import ACCOUNTING, ACME, ANY, BUYER, RITA, SUPPORT, invoice, invoiced, paid, shipment, stock
from tests.orders.review_desk import AROUND_THE_CLOCK, FAY, MAX, OVER_5000, OVER_25000, ReviewDesk

NO_ORDER_YET = {"completed_with_cancellations"}
"""A word that clients know and that no order comes to: what is accepted and then left out makes a new version."""
Visited = set[tuple[str, str]]
Steps = Iterator[object]


def accepted(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    yield desk.record(number, "accepted")


def fact(desk: ReviewDesk, number: str, source: str, kind: str, sequence: int, detail: dict[str, object]) -> list[str]:
    return desk.notify(desk.fact(number, source, kind, sequence, detail))


def to_its_end(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    yield fact(desk, number, "inventory", "stock_reserved", 1, stock({"1": (1, 1)}, "2026-12-01"))
    yield fact(desk, number, "fulfillment", "shipment_picked", 1, shipment("SH-1", "picked", {"1": 1}))
    yield fact(desk, number, "fulfillment", "shipment_packed", 2, shipment("SH-1", "packed", {"1": 1}))
    yield fact(desk, number, "fulfillment", "shipment_shipped", 3, shipment("SH-1", "shipped", {"1": 1}))
    yield fact(desk, number, "billing", "invoice_issued", 1, invoiced("INV-1", 13835, {"1": 1}))
    yield fact(desk, number, "inventory", "stock_allocated", 2, stock({"1": (2, 0)}))
    second = shipment("SH-2", "shipped", {"1": 1}, before={"1": 1})
    yield fact(desk, number, "fulfillment", "shipment_shipped", 4, second)
    yield fact(desk, number, "fulfillment", "shipment_delivered", 5, shipment("SH-1", "delivered", {"1": 2}))
    yield fact(desk, number, "billing", "invoice_issued", 2, invoiced("INV-2", 13836, {"1": 2}))
    both = [invoice("INV-1", 13835, 13835), invoice("INV-2", 13836, 13836)]
    yield fact(desk, number, "billing", "payment_received", 3, paid(27671, both))
    yield desk.record(number, "closed")


def to_an_end_with_less(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    fewer = propose(desk, number, asked(quantity("1", 1)), BUYER).change
    yield apply(desk, number, fewer.change_id)
    whole = shipment("SH-1", "delivered", {"1": 1})
    yield fact(desk, number, "fulfillment", "shipment_delivered", 1, whole)
    yield fact(desk, number, "billing", "invoice_issued", 1, invoiced("INV-1", 13835, {"1": 1}))
    yield fact(desk, number, "billing", "payment_received", 2, paid(13835, [invoice("INV-1", 13835, 13835)]))
    closed = pb.RecordOrderRequest(request_id=f"{number}/closed", order_id=number, milestone="closed", version=2)
    yield desk.servicer.RecordOrder(closed, ANY)


def held_and_released(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number, is_granted=False)
    yield desk.release(number, desk.read(number).holds[0].hold_id, ACCOUNTING)
    yield desk.record(number, "accepted")


def undeliverable(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    yield desk.record(number, "undeliverable")
    yield desk.release(number, desk.read(number).holds[0].hold_id, SUPPORT)
    yield desk.record(number, "undeliverable", "2")
    yield desk.release(number, desk.read(number).holds[1].hold_id, SUPPORT)
    yield desk.record(number, "accepted")


def undeliverable_and_cancelled(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    yield desk.record(number, "undeliverable")
    yield desk.record(number, "cancelled")


def cancelled(desk: ReviewDesk, number: str) -> Steps:
    with desk.database.transaction() as session:
        requested = cancel.request(session, number, BUYER, "ordered twice", desk.now)
    yield requested
    yield desk.record(number, "cancelled")


def cancelled_when_accepted(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    yield from cancelled(desk, number)


def cancelled_when_held(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number, is_granted=False)
    yield from cancelled(desk, number)


def failed(desk: ReviewDesk, number: str) -> Steps:
    yield desk.record(number, "failed")


def failed_when_held(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number, is_granted=False)
    yield desk.record(number, "failed")


def failed_when_accepted(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    yield desk.record(number, "failed")


def refused_by_a_rule(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)


def approved(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    yield desk.decide(number, MAX)
    yield desk.decide(number, FAY)
    yield desk.record(number, "accepted")


def rejected_by_people(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    yield desk.decide(number, MAX, "reject")


def changes_requested(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    yield desk.decide(number, MAX, "request_changes")
    fewer = propose(desk, number, asked(quantity("1", 10)), RITA).change
    yield fewer
    yield answer(desk, number, fewer.change_id, "accept")
    yield apply(desk, number, fewer.change_id)
    yield desk.decide(number, MAX, version=2) if desk.steps(number) else None


def withdrawn(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    yield from cancelled(desk, number)


def nobody_decides(desk: ReviewDesk, number: str) -> Steps:
    yield desk.validate(number)
    for _ in range(3):
        yield desk.pass_deadline(number)
    if desk.read(number).order.phase == order.IN_REVIEW:
        yield desk.release(number, desk.read(number).holds[0].hold_id, SUPPORT)


def nobody_decides_and_it_ends(desk: ReviewDesk, number: str) -> Steps:
    desk.policy(reviews=[OVER_5000], deadlines={"calendar": "always", "on_expiry": "reject"})
    yield from nobody_decides(desk, number)


def a_change_of_each_end(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    for end in ("declined", "withdrawn", "expired", "rejected"):
        change = propose(desk, number, asked(quantity("1", 1)), RITA).change
        yield change
        if end == "declined":
            yield answer(desk, number, change.change_id, "decline", note="no")
        elif end == "withdrawn":
            yield withdraw(desk, number, change.change_id)
        elif end == "expired":
            yield desk.pass_deadline(number)  # the order goes on
            yield desk.pass_deadline(number)
        else:
            yield answer(desk, number, change.change_id, "accept")
            yield apply(desk, number, change.change_id, is_granted=False)


def held_again(desk: ReviewDesk, number: str) -> Steps:
    """Backorders are filled when the customer is not active any more."""
    yield from accepted(desk, number)
    yield fact(desk, number, "inventory", "stock_reserved", 1, stock({"1": (1, 1)}, "2026-12-01"))
    yield fact(desk, number, "inventory", "stock_allocated", 2, stock({"1": (2, 0)}))
    _is_active(desk, is_active=False)
    yield desk.clear_release(number)
    _is_active(desk, is_active=True)


def _is_active(desk: ReviewDesk, *, is_active: bool) -> None:
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, is_active=is_active), "root", desk.now)


def held_again_and_released(desk: ReviewDesk, number: str) -> Steps:
    yield from held_again(desk, number)
    yield desk.release(number, desk.read(number).holds[0].hold_id, SUPPORT)
    yield desk.clear_release(number, key="2")


def held_again_and_changed(desk: ReviewDesk, number: str) -> Steps:
    yield from held_again(desk, number)
    fewer = propose(desk, number, asked(quantity("1", 1)), BUYER).change
    yield fewer
    yield apply(desk, number, fewer.change_id)
    yield desk.release(number, desk.read(number).holds[0].hold_id, SUPPORT)


def held_again_and_cancelled(desk: ReviewDesk, number: str) -> Steps:
    yield from held_again(desk, number)
    yield from cancelled(desk, number)


def held_again_and_failed(desk: ReviewDesk, number: str) -> Steps:
    yield from held_again(desk, number)
    yield desk.record(number, "failed")


def a_change_that_the_warehouse_overtakes(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    yield propose(desk, number, asked(quantity("1", 1)), RITA)
    yield fact(desk, number, "fulfillment", "shipment_picked", 1, shipment("SH-1", "picked", {"1": 2}))


def a_change_that_the_warehouse_answers(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    yield fact(desk, number, "fulfillment", "shipments_released", 1, {"lines": {"1": {"released": 2}}, "shipments": []})
    change = propose(desk, number, asked(quantity("1", 1)), BUYER).change
    yield record(desk, number, change.change_id, "recall")
    yield record(desk, number, change.change_id, "reject", "picked")


def a_change_that_is_reviewed(desk: ReviewDesk, number: str) -> Steps:
    yield from accepted(desk, number)
    yield propose(desk, number, asked(quantity("1", 100)), BUYER)
    yield desk.decide(number, MAX)


WALKS: dict[str, tuple[Callable[[ReviewDesk, str], Steps], tuple[str, int]]] = {
    "to its end": (to_its_end, ("PUMP", 2)),
    "to an end with less": (to_an_end_with_less, ("PUMP", 2)),
    "held and released": (held_and_released, ("PUMP", 2)),
    "undeliverable, twice": (undeliverable, ("PUMP", 2)),
    "undeliverable and cancelled": (undeliverable_and_cancelled, ("PUMP", 2)),
    "cancelled at once": (cancelled, ("PUMP", 2)),
    "cancelled when held": (cancelled_when_held, ("PUMP", 2)),
    "cancelled when accepted": (cancelled_when_accepted, ("PUMP", 2)),
    "failed at once": (failed, ("PUMP", 2)),
    "failed when held": (failed_when_held, ("PUMP", 2)),
    "failed when accepted": (failed_when_accepted, ("PUMP", 2)),
    "refused by a rule": (refused_by_a_rule, ("OLD", 1)),
    "approved": (approved, ("PUMP", 200)),
    "rejected by people": (rejected_by_people, ("PUMP", 100)),
    "changes requested": (changes_requested, ("PUMP", 100)),
    "withdrawn": (withdrawn, ("PUMP", 100)),
    "nobody decides": (nobody_decides, ("PUMP", 100)),
    "nobody decides and it ends": (nobody_decides_and_it_ends, ("PUMP", 100)),
    "a change of each end": (a_change_of_each_end, ("PUMP", 2)),
    "a change that the warehouse answers": (a_change_that_the_warehouse_answers, ("PUMP", 2)),
    "held again and released": (held_again_and_released, ("PUMP", 2)),
    "held again and changed": (held_again_and_changed, ("PUMP", 2)),
    "held again and cancelled": (held_again_and_cancelled, ("PUMP", 2)),
    "held again and failed": (held_again_and_failed, ("PUMP", 2)),
    "a change that the warehouse overtakes": (a_change_that_the_warehouse_overtakes, ("PUMP", 2)),
    "a change that is reviewed": (a_change_that_is_reviewed, ("PUMP", 2)),
}


def walk(desk: ReviewDesk, name: str) -> tuple[Visited, dict[str, list[str]]]:
    """The states that a walk comes by, and what the audit finds in those of them after which it is not clean."""
    steps, line = WALKS[name]
    number = desk.place(line).order_id
    seen: Visited = set()
    broken: dict[str, list[str]] = {}
    phases = [desk.read(number).order.phase]

    def note_state() -> None:
        found = desk.read(number)
        seen.add(("status", found.standing.status))
        seen.update(("review", one.state) for one in reviews_of(desk, number))
        seen.update(("change", one.state) for one in change_orders(desk, number))
        if found.order.phase != phases[-1]:
            seen.add(("move", f"{phases[-1]} {found.order.phase}"))
            phases.append(found.order.phase)
        if faults := desk.broken():
            broken[f"{name}: {found.order.phase}, {found.standing.status}"] = faults

    note_state()
    for _ in steps(desk, number):
        note_state()
    return seen, broken


def change_orders(desk: ReviewDesk, number: str) -> tuple[changes.ChangeOrder, ...]:
    with desk.database.reading() as session:
        return change_store.of_order(session, number)


@pytest.mark.parametrize("name", WALKS)
def test_the_audit_is_clean_after_each_step(database: Database, name: str) -> None:
    seen, broken = walk(ReviewDesk(database), name)

    assert broken == {}
    assert seen


def test_the_walks_come_by_every_state(database: Database) -> None:
    desk = ReviewDesk(database)
    seen: Visited = set()
    for name in WALKS:
        desk.policy(reviews=[OVER_5000, OVER_25000], deadlines=AROUND_THE_CLOCK)
        visited, broken = walk(desk, name)
        assert broken == {}
        seen |= visited

    moves = {f"{phase} {following}" for phase, verbs in order.TRANSITIONS.items() for following in verbs.values()}
    wanted = {("status", word) for word in STATUS_VALUES if word not in NO_ORDER_YET}
    wanted |= {("change", state) for state in changes.STATES}
    wanted |= {("review", state) for state in reviews.REVIEW_STATES}
    wanted |= {("move", move) for move in moves}
    assert wanted - seen == set()
    assert desk.broken() == []
