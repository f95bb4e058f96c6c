"""Business exceptions: opened once by their cause, resolved by a person or by the end of the cause."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.kernel.errors import InvalidArgument, NotFound, NotPermitted, Refused
from services.orders.access.matrix import Caller
from services.orders.domain.exceptions import BusinessException, ExceptionFilter
from services.orders.lifecycle import resolution
from services.orders.store import exceptions as store
from tests.orders.desk import ACCOUNTING, RITA, SUPPORT, Desk, caller, shipment
from tests.orders.test_exceptions_on_the_way import with_exception

pytestmark = pytest.mark.on_postgres


def on_the_way(desk: Desk) -> str:
    """An order whose shipment the carrier has a problem with."""
    order_id = desk.accepted(("PUMP", 1))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1})))
    desk.notify(with_exception(desk, order_id, 2, "2026-11-24T08:00:00+00:00"))
    return order_id


def undeliverable(desk: Desk) -> str:
    """An order that no carrier serves."""
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id)
    desk.record(order_id, "undeliverable")
    assert desk.broken() == []
    return order_id


def opened(desk: Desk, order_id: str) -> list[BusinessException]:
    with desk.database.reading() as session:
        return store.open_of(session, order_id)


def everything(desk: Desk, **wanted: str) -> list[BusinessException]:
    with desk.database.reading() as session:
        return [each.found for each in store.listed(session, ExceptionFilter(**wanted))]


def resolve(desk: Desk, found: BusinessException, by: Caller = SUPPORT, note: str = "redirected") -> None:
    with desk.database.transaction() as session:
        resolution.resolve(session, found.exception_id, by, note, desk.now)


def test_a_carriers_problem_is_an_exception_for_support(desk: Desk) -> None:
    order_id = on_the_way(desk)

    [found] = opened(desk, order_id)

    last = desk.events(order_id)[-1]
    assert (found.kind, found.subject_id, found.owner_role) == ("carrier_exception", "shp_SH-1", "support")
    assert found.reason == "roadrunner reports a problem on the way with SH-1, tracking number RR123."
    assert "Ask the carrier" in found.what_to_do
    assert (last.who, last.what, last.why) == ("system", "exception_opened", found.reason)
    assert desk.broken() == []


def test_a_second_problem_of_the_same_shipment_opens_another_exception_only_after_the_first_is_resolved(
    desk: Desk,
) -> None:
    order_id = on_the_way(desk)
    desk.notify(with_exception(desk, order_id, 3, "2026-11-25T08:00:00+00:00"))
    [first] = opened(desk, order_id)

    resolve(desk, first)
    desk.notify(with_exception(desk, order_id, 4, "2026-11-26T08:00:00+00:00"))

    [second] = opened(desk, order_id)
    assert second.exception_id != first.exception_id
    assert [each.exception_id for each in everything(desk, state="resolved")] == [first.exception_id]


def test_the_delivery_resolves_a_carrier_exception(desk: Desk) -> None:
    order_id = on_the_way(desk)

    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 1})))

    [found] = everything(desk)
    last = desk.events(order_id)[-1]
    assert (found.resolved_by, found.resolved_role, found.note) == ("system", "service", "SH-1 was delivered.")
    assert (last.what, last.why) == ("exception_resolved", "SH-1 was delivered.")
    assert opened(desk, order_id) == []
    assert desk.broken() == []


def test_a_problem_heard_of_after_the_delivery_opens_no_exception(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 1})))

    desk.notify(with_exception(desk, order_id, 2, "2026-11-22T08:00:00+00:00"))

    assert everything(desk) == []


def test_an_undeliverable_address_is_an_exception_until_its_hold_is_released(desk: Desk) -> None:
    order_id = undeliverable(desk)
    [found] = opened(desk, order_id)
    [hold] = desk.read(order_id).holds

    desk.release(order_id, hold.hold_id, SUPPORT, "a rate is in")

    [done] = everything(desk)
    assert (found.kind, found.subject_id) == ("undeliverable_address", hold.hold_id)
    assert found.reason == "No carrier serves TX 75001 US."
    assert (done.resolved_by, done.note) == ("system", "The hold was released: a rate is in")
    assert [event.what for event in desk.events(order_id)][-2:] == ["hold_released", "exception_resolved"]
    assert desk.broken() == []


def test_the_end_of_an_order_resolves_what_stood_for_its_hold(desk: Desk) -> None:
    order_id = undeliverable(desk)

    desk.record(order_id, "cancelled")

    [done] = everything(desk)
    assert done.note == "The hold was released: the order ended: cancelled"
    assert desk.broken() == []


def test_an_exception_is_resolved_once_by_its_owner_with_a_note(desk: Desk) -> None:
    order_id = on_the_way(desk)
    [found] = opened(desk, order_id)

    with pytest.raises(NotPermitted) as stranger:
        resolve(desk, found, ACCOUNTING)
    with pytest.raises(InvalidArgument) as silent:
        resolve(desk, found, note=" ")
    resolve(desk, found)
    with pytest.raises(Refused) as again:
        resolve(desk, found)

    [done] = everything(desk)
    last = desk.events(order_id)[-1]
    reasons = (stranger.value.reason, silent.value.reason, again.value.reason)
    assert reasons == ("NOT_EXCEPTION_OWNER", "NOTE_MISSING", "EXCEPTION_RESOLVED")
    assert (done.resolved_by, done.resolved_role, done.note) == ("sue", "support", "redirected")
    assert (last.who, last.role, last.what, last.why) == ("sue", "support", "exception_resolved", "redirected")


def test_support_resolves_what_others_own_and_another_customers_is_not_found(desk: Desk) -> None:
    [found] = opened(desk, on_the_way(desk))
    with desk.database.transaction() as session:
        session.execute(text("UPDATE business_exception SET owner_role = 'accounting'"))

    with pytest.raises(NotFound):
        resolve(desk, found, caller("otto", "sales_rep", reach="assigned"))
    with pytest.raises(NotPermitted):
        resolve(desk, found, RITA)
    resolve(desk, found)

    [done] = everything(desk)
    assert (done.owner_role, done.resolved_role) == ("accounting", "support")


def test_open_exceptions_are_counted_and_filtered(desk: Desk) -> None:
    first, second = on_the_way(desk), undeliverable(desk)
    resolve(desk, opened(desk, first)[0])

    with desk.database.reading() as session:
        counts = [store.count_open(session, who.scope) for who in (SUPPORT, RITA, caller("otto", reach="assigned"))]

    assert counts == [1, 1, 0]
    assert [each.order_id for each in everything(desk, state="open")] == [second]
    assert [each.order_id for each in everything(desk, kind="carrier_exception")] == [first]
    assert [each.order_id for each in everything(desk, order_id=second)] == [second]
    assert everything(desk, owner_role="accounting") == []


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE hold SET released_at = placed_at, released_by = 'sue'", "orders.undeliverable_address_is_held"),
        ("UPDATE business_exception SET subject_id = 'shp_gone'", "orders.carrier_exception_is_on_its_way"),
    ],
)
def test_an_exception_without_its_cause_is_named_by_the_audit(desk: Desk, statement: str, name: str) -> None:
    on_the_way(desk) if "shp_" in statement else undeliverable(desk)

    with desk.database.transaction() as session:
        session.execute(text(statement))

    assert name in desk.broken()
