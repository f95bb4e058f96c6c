"""What carriers say of parcels, in any order, twice and late: problems are exceptions that say what to do, and end with the delivery."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.trade import Trade, eventually, key, ok


def on_its_way(trade: Trade) -> tuple[str, dict[str, Any]]:
    """An order of four units, and its shipment with the carrier."""
    sku, place = trade.product("p", "25.00", cost="10.00"), trade.warehouses({"w": 900})["w"]
    trade.receive(place, sku, 4, "10.00")
    order_id = trade.placed(trade.order_body(trade.customer(), [{"sku": sku, "quantity": 4}]))["order_id"]
    [shipment] = trade.shipments(order_id, "released")
    return order_id, trade.send_off(shipment)


def said(trade: Trade, order_id: str, *, is_open: bool = True) -> list[str]:
    """What exceptions of the order say."""
    wanted = {"order_id": order_id, "state": "open" if is_open else "resolved"}
    return [one["reason"] for one in ok(trade.system.api("support").get("/v1/exceptions", params=wanted))["rows"]]


def _says(trade: Trade, order_id: str, words: str) -> None:
    assert [words in one for one in said(trade, order_id)] == [True]


def _says_nothing(trade: Trade, order_id: str) -> None:
    assert said(trade, order_id) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("exception", "reports a problem on the way"),
        ("failed_attempt", "could not hand over"),
        ("damaged", "damaged on the way"),
        ("returned_to_sender", "expect the parcel"),
        ("lost", "claim it from the carrier, and credit the goods or send them again"),
    ],
)
def test_a_problem_is_an_exception_until_the_parcel_arrives_after_all(trade: Trade, status: str, words: str) -> None:
    order_id, sent = on_its_way(trade)

    codes = [*trade.deliver(sent, status="picked_up"), *trade.deliver(sent, times=2, status=status)]
    eventually(lambda: _says(trade, order_id, words))
    [package] = ok(trade.system.api("warehouse").get(f"/v1/shipments/{sent['shipment_id']}"))["packages"]
    trade.deliver(sent)
    eventually(lambda: _says_nothing(trade, order_id))
    trade.deliver(sent, status=status)  # late: it has arrived
    trade.deliver(sent, status="in_transit")
    [after] = ok(trade.system.api("warehouse").get(f"/v1/shipments/{sent['shipment_id']}"))["packages"]

    assert set(codes) == {200}
    assert (package["problem"], bool(package["exception_at"])) == (status, True)
    assert (after["problem"], after["exception_at"]) == (None, None)
    assert len(said(trade, order_id, is_open=False)) == 1
    trade.until_audit_is_clean()


def test_what_a_carrier_says_next_of_a_problem_takes_the_place_of_what_it_said_before(trade: Trade) -> None:
    order_id, sent = on_its_way(trade)

    trade.deliver(sent, status="failed_attempt")
    eventually(lambda: _says(trade, order_id, "could not hand over"))
    trade.deliver(sent, status="lost")
    eventually(lambda: _says(trade, order_id, "has lost"))

    assert ["could not hand over" in one for one in said(trade, order_id, is_open=False)] == [True]
    trade.until_audit_is_clean()


def test_what_no_carrier_says_is_refused(trade: Trade) -> None:
    order_id, sent = on_its_way(trade)

    assert trade.deliver(sent, status="eaten") == [422]
    assert said(trade, order_id) == []


def test_what_is_brought_back_is_expected_as_a_parcel_and_credited_by_a_return(trade: Trade) -> None:
    """The way out of "returned to sender" that is there: the parcel comes, the order's return takes it, and the books follow."""
    order_id, sent = on_its_way(trade)
    trade.deliver(sent, status="returned_to_sender")
    eventually(lambda: _says(trade, order_id, "expect the parcel"))
    [line] = trade.order(order_id)["lines"]
    body = {
        "warehouse_id": sent["warehouse_id"], "reference": sent["tracking_number"],
        "lines": [{"sku": line["sku"], "quantity": 4}],
    }  # fmt: skip

    parcel = ok(trade.system.api("warehouse").post("/v1/parcels", json=body, headers=key()))

    assert (parcel["state"], parcel["order_number"]) == ("waiting", trade.order(order_id)["number"])
