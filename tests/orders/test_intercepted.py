"""A parcel that its carrier stops comes back by a return that nobody authorizes, once, and the order waits for it no more."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.errors import Refused
from services.orders.domain.returns import Return
from services.orders.returns import intercepted
from services.orders.store import returns as store
from tests.orders.desk import SUPPORT, Desk, invoiced, shipment


def stopped(detail: dict[str, Any]) -> dict[str, Any]:
    """Fulfillment's detail of a shipment that was stopped."""
    lines = {key: {**line, "intercepted": line["shipped"]} for key, line in detail["lines"].items()}
    at = {"intercepted_at_micros": 1_780_000_000_000_000}
    return {"lines": lines, "shipment": {**detail["shipment"], **at}, "reason": "stopped", "asked_by": "sue"}


def returns_of(desk: Desk, order_id: str) -> list[Return]:
    with desk.database.reading() as session:
        return list(store.of_order(session, order_id))


def on_its_way(desk: Desk, *, is_invoiced: bool = True) -> str:
    order_id = desk.accepted(("PUMP", 4))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 4})))
    if is_invoiced:
        desk.notify(desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", 42_900, {"1": 4})))
    return order_id


def check(desk: Desk, order_id: str) -> None:
    with desk.database.reading() as session:
        intercepted.check(session, order_id, "shp_SH-1", SUPPORT, desk.now)


@pytest.mark.on_postgres
def test_it_comes_back_by_one_return_that_is_authorized_and_only_the_warehouse_expects(desk: Desk) -> None:
    order_id = on_its_way(desk)
    check(desk, order_id)
    fact = desk.fact(order_id, "fulfillment", "shipment_intercepted", 2, stopped(shipment("SH-1", "shipped", {"1": 4})))

    desk.notify(fact)
    desk.notify(fact)

    [found] = returns_of(desk, order_id)
    line = found.lines[0]
    assert (found.state, found.is_automatic, found.requested_by, found.waits_for) == (
        "authorized",
        True,
        "sue",
        "carrier",
    )
    assert (line.quantity, line.reason, line.shipment_id) == (4, "intercepted", "shp_SH-1")
    mails = [
        (row["detail"]["mail"], [one["role"] for one in row["detail"]["recipients"]])
        for row in desk.outbox("notify", order_id)
    ]
    assert mails[-2:] == [("shipment_intercepted", ["customer"]), ("return_authorized", ["warehouse_manager"])]
    assert len(desk.outbox("return_started", order_id)) == 1
    after = desk.read(order_id)
    assert after.progress.lines["1"].intercepted == 4
    assert desk.signals(order_id)[-1] == "shipment_delivered"
    assert (after.standing.axes.fulfilment, after.standing.axes.returns) == ("fully_shipped", "open")
    assert desk.broken() == []


def test_what_could_not_be_credited_is_not_stopped(desk: Desk) -> None:
    order_id = on_its_way(desk, is_invoiced=False)

    with pytest.raises(Refused) as refused:
        check(desk, order_id)

    assert refused.value.reason == "RETURN_NOT_INVOICED"


def test_what_is_coming_back_already_is_no_part_of_its_return(desk: Desk) -> None:
    order_id = on_its_way(desk)
    twice = stopped(shipment("SH-1", "shipped", {"1": 4}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_intercepted", 2, twice))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_intercepted", 3, twice))

    assert len(returns_of(desk, order_id)) == 1
