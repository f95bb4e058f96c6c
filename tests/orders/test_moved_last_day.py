"""The last day to ship is moved by a change, and what the sweep cannot cancel is told to support, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy

from services.orders.changes import cancel_units
from services.orders.domain.exceptions import PAST_CANCEL_AFTER, BusinessException
from services.orders.masterdata import customers
from services.orders.order import exceptions
from services.orders.store import exceptions as store
from tests.orders.change_desk import asked, changed, preview
from tests.orders.desk import ACME, CONTACTS, NOON, Desk, invoiced, shipment
from tests.orders.test_cancel_after import LAST, TODAY, sweep

LATER = date(2026, 12, 20)


def reasons(desk: Desk, order_id: str) -> list[str]:
    with desk.database.reading() as session:
        return [one.reason for one in exceptions.list_open(session, order_id) if one.kind == PAST_CANCEL_AFTER]


@pytest.mark.on_postgres
def test_a_change_moves_the_day_and_the_sweep_goes_by_the_new_one(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), cancel_after=LAST)
    changed(desk, order_id, asked(cancel_after=LATER))
    desk.now += LAST - TODAY + timedelta(days=2)
    between = sweep(desk)
    desk.now += LATER - LAST

    assert (desk.read(order_id).order.cancel_after, desk.read(order_id).order.version) == (LATER, 2)
    assert (between, sweep(desk)) == ([], [order_id])
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_what_was_asked_before_the_day_was_moved_is_asked_again_after_it(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), cancel_after=LAST)
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))
    desk.now += LAST - TODAY + timedelta(days=1)
    first = sweep(desk)
    change = desk.read(order_id).asked.change
    assert change is not None
    with desk.database.transaction() as session:
        cancel_units.keep_units(session, order_id, change.change_id, {"1": 4}, CONTACTS, desk.now)
    kept = sweep(desk)
    changed(desk, order_id, asked(cancel_after=LATER))
    desk.now += LATER - LAST

    assert (first, kept, sweep(desk)) == ([order_id], [], [order_id])


def test_a_day_by_which_nothing_can_ship_is_refused(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4), cancel_after=LAST, requested_on=LAST)

    def obstacles(day: date) -> list[str]:
        return [one.code for one in preview(desk, order_id, asked(cancel_after=day)).obstacles]

    assert obstacles(TODAY - timedelta(days=1)) == ["CANCEL_AFTER_PAST", "CANCEL_AFTER_BEFORE_REQUESTED"]
    assert obstacles(LAST - timedelta(days=1)) == ["CANCEL_AFTER_BEFORE_REQUESTED"]
    assert obstacles(LATER) == []


def _invoiced_at_order(desk: Desk) -> str:
    """Invoiced whole, and 1 of 4 has shipped."""
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, invoicing="at_order"), "root", NOON)
    order_id = desk.accepted(("PUMP", 4), cancel_after=LAST)
    desk.notify(desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", 40_000, {"1": 4})))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))
    return order_id


@pytest.mark.on_postgres
def test_what_the_sweep_cannot_cancel_is_told_once_and_another_day_resolves_it(desk: Desk) -> None:
    order_id = _invoiced_at_order(desk)
    desk.now += LAST - TODAY + timedelta(days=1)
    swept = [sweep(desk), sweep(desk)]
    [reason] = reasons(desk, order_id)
    [found] = [one.exception_id for one in _open(desk, order_id)]
    with desk.database.transaction() as session:
        store.resolve(session, found, resolved_by="sue", resolved_role="support", note="we wait", now=desk.now)
    sweep(desk)
    after_support = reasons(desk, order_id)

    assert swept == [[], []]
    assert reason.startswith(
        "It is past its last day to ship, and what has not shipped cannot be canceled: the order is invoiced"
    )
    assert after_support == []
    assert desk.broken() == []


def test_another_day_resolves_what_was_told(desk: Desk) -> None:
    order_id = _invoiced_at_order(desk)
    desk.now += LAST - TODAY + timedelta(days=1)
    sweep(desk)
    before = len(reasons(desk, order_id))
    changed(desk, order_id, asked(cancel_after=LATER))
    sweep(desk)

    assert (before, reasons(desk, order_id)) == (1, [])


def test_another_day_that_passes_is_told_again_whoever_resolved_the_first(desk: Desk) -> None:
    order_id = _invoiced_at_order(desk)
    desk.now += LAST - TODAY + timedelta(days=1)
    sweep(desk)
    [first] = _open(desk, order_id)
    with desk.database.transaction() as session:
        store.resolve(
            session, first.exception_id, resolved_by="sue", resolved_role="support", note="more time", now=desk.now
        )
    changed(desk, order_id, asked(cancel_after=LATER))
    sweep(desk)
    between = reasons(desk, order_id)
    desk.now += LATER - LAST
    sweep(desk)

    assert (between, len(reasons(desk, order_id))) == ([], 1)


@pytest.mark.on_postgres
def test_what_was_said_to_have_shipped_and_had_not_is_told_again(desk: Desk) -> None:
    order_id = _invoiced_at_order(desk)
    desk.now += LAST - TODAY + timedelta(days=1)
    sweep(desk)
    rest = shipment("SH-2", "shipped", {"1": 3}, before={"1": 1})
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 2, rest))
    sweep(desk)
    gone = reasons(desk, order_id)
    packed, undone = shipment("SH-3", "packed", {"1": 3}, before={"1": 1}), {**rest["shipment"], "state": "cancelled"}
    detail = {"lines": packed["lines"], "shipments": [undone, packed["shipment"]], "reason": "wrong pallet"}
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_reversed", 3, detail))
    sweep(desk)

    assert (gone, len(reasons(desk, order_id))) == ([], 1)


def test_an_order_that_cannot_be_read_keeps_no_other_from_its_turn(desk: Desk) -> None:
    broken, fine = desk.accepted(("PUMP", 4), cancel_after=LAST), desk.accepted(("PUMP", 4), cancel_after=LAST)
    with desk.database.transaction() as session:
        spoil = sqlalchemy.text("UPDATE sales_order SET ship_to = '[]' WHERE order_id = :of")
        session.execute(spoil, {"of": min(broken, fine)})
    desk.now += LAST - TODAY + timedelta(days=1)

    with pytest.raises(TypeError):
        sweep(desk)

    assert len(desk.outbox("cancellation_requested", max(broken, fine))) == 1


def _open(desk: Desk, order_id: str) -> list[BusinessException]:
    with desk.database.reading() as session:
        return [one for one in exceptions.list_open(session, order_id) if one.kind == PAST_CANCEL_AFTER]
