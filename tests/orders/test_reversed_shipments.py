"""A ship confirm that is reversed, as orders hears of it: the shipment counts as not shipped, and what was billed as not billed."""

from __future__ import annotations

from typing import Any

from services.orders.domain.billed import billed, billed_parts
from services.orders.domain.status import Standing
from tests.orders.desk import Desk, invoice, invoiced, shipment

PART = {"key": "S/0.0725", "code": "S", "rate": "0.0725", "merchandise_minor": 25_800, "tax_minor": 1_871}


def cancelled() -> dict[str, Any]:
    """The detail of SH-1, once its ship confirm is reversed."""
    detail = shipment("SH-1", "packed", {"1": 2})
    detail["shipment"]["state"] = "cancelled"
    return detail


def reversed_one(desk: Desk, order_id: str, sequence: int) -> Any:
    """SH-1 had not left with its two units: SH-2 is packed with them."""
    gone, packed = cancelled(), shipment("SH-2", "packed", {"1": 2})
    detail = {"lines": packed["lines"], "shipments": [gone["shipment"], packed["shipment"]], "reason": "wrong pallet"}
    return desk.fact(order_id, "fulfillment", "shipment_reversed", sequence, detail)


def credited(desk: Desk, order_id: str, sequence: int, number: str = "CN-1001", held_minor: int = 0) -> Any:
    detail = {
        "credit_note_id": "cn_1" if number else "",
        "number": number,
        "amount_minor": 27_671 if number else 0,
        "currency": "USD",
        "reason": "Shipment SH-1 was reported as shipped by mistake.",
        "invoice": {**invoice("INV-1", 27_671), "credited_minor": 27_671, "status": "credited", "open_minor": 0,
                    "merchandise_minor": 25_800, "tax_minor": 1_871, "tax_parts": [PART], "reversed_parts": [PART]},
        "lines": {"1": {"invoiced": 0}},
        "held_minor": held_minor,
    }  # fmt: skip
    return desk.fact(order_id, "billing", "invoice_credited", sequence, detail)


def shipped(desk: Desk) -> str:
    """An order of two pumps that was said to have left, and is invoiced."""
    order_id = desk.accepted(("PUMP", 2))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 2})))
    desk.notify(desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", 27_671, {"1": 2})))
    return order_id


def standing(desk: Desk, order_id: str) -> Standing:
    return desk.read(order_id).standing


def test_the_order_is_with_its_warehouse_again_and_its_workflow_hears_of_it(desk: Desk) -> None:
    order_id = shipped(desk)
    before = standing(desk, order_id).status

    desk.notify(reversed_one(desk, order_id, 2))
    desk.notify(credited(desk, order_id, 2))

    found = desk.read(order_id)
    assert (before, found.standing.status, found.standing.axes.billing) == ("shipped", "in_fulfilment", "none")
    line = found.progress.lines["1"]
    assert (line.packed, line.shipped, line.invoiced) == (2, 0, 0)
    assert {one.number: one.state for one in found.progress.shipments.values()} == {
        "SH-1": "cancelled",
        "SH-2": "packed",
    }
    assert desk.signals(order_id) == ["shipment_shipped", "shipment_reversed"]
    event = next(one for one in desk.events(order_id) if one.what == "shipment_reversed")
    assert (event.why, event.after["reason"]) == ("SH-1, now SH-2", "wrong pallet")
    assert desk.broken() == []


def test_the_customer_is_told_once_that_it_has_not_left(desk: Desk) -> None:
    order_id = shipped(desk)
    fact = reversed_one(desk, order_id, 2)

    desk.notify(fact)
    desk.notify(fact)

    mails = [row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "shipment_reversed"]
    assert len(mails) == 1
    assert "wrong pallet" not in str(mails[0])


def test_what_is_not_billed_any_more_is_free_in_a_change(desk: Desk) -> None:
    order_id = shipped(desk)
    desk.notify(reversed_one(desk, order_id, 2))

    desk.notify(credited(desk, order_id, 2, held_minor=500))

    found = desk.read(order_id)
    sums = billed(found.progress, "USD")
    assert (sums.net.minor, sums.discount.minor, sums.freight.minor) == (0, 0, 0)
    assert [part.merchandise.minor for part in billed_parts(found.order, found.progress).values()] == [0]
    assert found.progress.held_minor == 500


def test_an_invoice_of_which_nothing_was_left_to_be_credited_has_no_mail(desk: Desk) -> None:
    order_id = shipped(desk)

    desk.notify(credited(desk, order_id, 2, number=""))

    assert "credit_note" not in desk.mails(order_id)
    assert desk.read(order_id).progress.lines["1"].invoiced == 0


def test_a_carrier_that_tells_of_it_after_all_is_an_exception_that_stands(desk: Desk) -> None:
    order_id = shipped(desk)
    desk.notify(reversed_one(desk, order_id, 2))
    heard = cancelled()
    heard["shipment"] |= {"exception_at_micros": 1_780_000_000_000_000, "carrier": "ups"}
    heard["lines"] = shipment("SH-2", "packed", {"1": 2})["lines"]

    desk.notify(desk.fact(order_id, "fulfillment", "shipment_exception", 3, heard))

    (found,) = [row for row in desk.events(order_id) if row.what == "exception_opened"]
    assert "whose ship confirm was reversed" in found.why
    assert desk.broken() == []
