"""A parcel that its carrier stops comes back by a return that nobody authorizes, once, and the order waits for it no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.order import SETTLED_ELSEWHERE
from services.orders.domain.returnable import LineToReturn, returnable
from services.orders.domain.returns import Return
from services.orders.lifecycle import exchange
from services.orders.returns import ask, decide, intercepted, keep, labels, on_the_way
from services.orders.store import returns as store
from tests.orders.desk import BUYER, SUPPORT, Desk, invoiced, shipment
from tests.orders.mail_parties import CONTACTS
from tests.orders.test_returns import _delivered


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


def test_what_is_not_invoiced_yet_is_stopped_too_and_leaves_what_is_invoiced_to_its_customer(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    both = [shipment(name, "shipped", {"1": 2}, before={"1": n}) for name, n in (("SH-1", 0), ("SH-2", 2))]
    for number, detail in enumerate(both, 1):
        desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", number, detail))
    desk.notify(desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", 21_450, {"1": 2})))
    check(desk, order_id)

    gone = stopped(both[0])
    gone["lines"] = {"1": {**both[1]["lines"]["1"], "intercepted": 2}}
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_intercepted", 3, gone))

    [found] = returns_of(desk, order_id)
    with desk.database.reading() as session:
        left = ask.options(session, order_id, SUPPORT, desk.now)["1"]
    assert [(line.quantity, line.shipment_id) for line in found.lines] == [(2, "shp_SH-1")]
    assert left.units == 2
    assert desk.broken() == []


def test_what_was_bought_elsewhere_is_not_stopped(desk: Desk) -> None:
    order_id = on_its_way(desk)
    found = desk.read(order_id)
    line = found.order.lines[0]
    elsewhere = replace(found.order, payment_method=SETTLED_ELSEWHERE)

    may = returnable(elsewhere, found.progress, [], line, desk.now, timedelta(days=30), is_stopped=True)

    assert (may.units, may.reason) == (0, "SETTLED_ELSEWHERE")


def test_what_is_coming_back_already_is_no_part_of_its_return(desk: Desk) -> None:
    order_id = on_its_way(desk)
    twice = stopped(shipment("SH-1", "shipped", {"1": 4}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_intercepted", 2, twice))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_intercepted", 3, twice))

    assert len(returns_of(desk, order_id)) == 1


def test_nobody_sends_it_labels_it_or_keeps_it_since_its_carrier_brings_it(desk: Desk) -> None:
    order_id = on_its_way(desk)
    desk.notify(
        desk.fact(order_id, "fulfillment", "shipment_intercepted", 2, stopped(shipment("SH-1", "shipped", {"1": 4})))
    )
    [found] = returns_of(desk, order_id)

    def reason(act: Callable[[Session], object]) -> str:
        with pytest.raises(Refused) as refused, desk.database.transaction() as session:
            act(session)
        return refused.value.reason

    one = found.return_id
    assert [
        reason(lambda session: labels.read(session, one)),
        reason(lambda session: on_the_way.record(session, one, SUPPORT, "ups", "PW 1", CONTACTS, desk.now)),
        reason(lambda session: keep.keep(session, one, SUPPORT, "keep it", CONTACTS, desk.now)),
        reason(lambda session: decide.cancel(session, one, BUYER, "", CONTACTS, desk.now)),
    ] == ["RETURN_HAS_NO_LABEL", *["RETURN_INTERCEPTED"] * 3]
    assert returns_of(desk, order_id) == [found]


def test_an_exchange_is_not_stopped_since_what_it_brings_is_not_returned_again(desk: Desk) -> None:
    asked, sold = LineToReturn("1", 2, "defective", "", "PUMP"), _delivered(desk)
    with desk.database.transaction() as session:
        one = exchange.request(session, sold, BUYER, [asked], "", CONTACTS, desk.now, is_advance=True)
    order_id = one.replacements[0].order_id
    gone = shipment("SH-1", "shipped", {"1": 2})
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, gone))

    with pytest.raises(Refused) as refused:
        check(desk, order_id)

    assert refused.value.reason == "EXCHANGED"
