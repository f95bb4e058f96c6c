"""What really arrives: foreign articles and surplus beside a return, parcels without one, and goods that wait in quarantine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.test_a2_partial_shipments import changes
from tests.system.test_a8_return import _ask, _sold, _until
from tests.system.trade import Trade, eventually, key, ok

GOOD = {"grade": "A", "responsible": "carrier"}


def _receive(trade: Trade, rma: str, warehouse: str, units: int, *others: dict[str, Any]) -> dict[str, Any]:
    """The warehouse counts units of line 1, and what else came; it hears of a return a moment after its authorization."""
    lines = [{"line_id": "1", "quantity": units}] if units else []
    body, again = {"warehouse_id": warehouse, "lines": lines, "others": list(others)}, key()

    def claim() -> dict[str, Any]:
        said = trade.system.api("warehouse").post(f"/v1/returns/{rma}/receive", json=body, headers=again)
        assert said.status_code == 200, said.text
        found: dict[str, Any] = said.json()
        return found

    return eventually(claim)


def _inspect(trade: Trade, rma: str, warehouse: str, *units: tuple[int, str]) -> None:
    """Units of line 1 and what becomes of them; a return of a parcel is known to the warehouse a moment after it was made."""
    found = [{"line_id": "1", "quantity": count, "disposition": what, **GOOD} for count, what in units]
    body, again = {"warehouse_id": warehouse, "units": found}, key()

    def claim() -> None:
        said = trade.system.api("warehouse").post(f"/v1/returns/{rma}/inspect", json=body, headers=again)
        assert said.status_code == 200, said.text

    eventually(claim)


def _parcel(trade: Trade, warehouse: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"warehouse_id": warehouse, "lines": list(lines), **more}
    found: dict[str, Any] = ok(trade.system.api("warehouse").post("/v1/parcels", json=body, headers=key()))
    return found


def _match(trade: Trade, parcel: str, order: str, units: int) -> Any:
    body = {"order": order, "lines": [{"line_id": "1", "quantity": units, "reason": "other"}]}
    return trade.system.api("support").post(f"/v1/parcels/{parcel}/match", json=body, headers=key())


def _listed(trade: Trade, **wanted: str) -> list[dict[str, Any]]:
    """Parcels that wait, of this test's warehouse."""
    found = ok(trade.system.api("support").get("/v1/parcels", params={"state": "waiting", "limit": 200, **wanted}))
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def _ended(trade: Trade, rma: str) -> dict[str, Any]:
    return _until(trade, rma, lambda one: bool(one["ended_at"]))


def test_allegro_13866_one_of_two_comes_with_a_foreign_article_and_one_is_credited(trade: Trade) -> None:
    order, sku, warehouse = _sold(trade)
    other = trade.product("other", "9.00")
    rma = ok(_ask(trade, order, 2))["number"]

    _receive(trade, rma, warehouse, 1, {"description": "a garden hose", "quantity": 1}, {"sku": other, "quantity": 1})
    _inspect(trade, rma, warehouse, (1, "restock"))
    credited = _until(trade, rma, lambda one: one["stage"] == "part_credited")
    [parcel] = _listed(trade, warehouse_id=warehouse)
    nobody = _match(trade, parcel["number"], order["number"], 2)
    given_up = ok(
        trade.system.api("support").post(f"/v1/returns/{rma}/give-up", json={"note": "one only"}, headers=key())
    )
    closed = _ended(trade, rma)
    decision = {"outcome": "send_back", "note": "not ours"}
    support = trade.system.api("support")
    decided = ok(support.post(f"/v1/parcels/{parcel['number']}/decision", json=decision, headers=key()))
    twice = support.post(f"/v1/parcels/{parcel['number']}/decision", json=decision, headers=key())

    assert (credited["credited"]["amount"], given_up["waits_for"]) == ("88.00", None)
    assert (parcel["return_number"], parcel["warehouse_id"], parcel["waits_for"]) == (rma, warehouse, "support")
    seem = [(line["sku"], line["description"], line["seems"]) for line in parcel["lines"]]
    assert seem == [(None, "a garden hose", "foreign"), (other, "", "own_article")]
    assert (nobody.status_code, nobody.json()["code"]) == (409, "PARCEL_HOLDS_LESS")
    assert (closed["state"], closed["credited"]["amount"], closed["lines"][0]["received"]) == ("closed", "88.00", 1)
    assert (decided["state"], twice.json()["code"]) == ("sent_back", "PARCEL_DECIDED")
    assert trade.stock(sku) == {warehouse: (11, 0)}
    trade.until_audit_is_clean()


def test_surplus_is_accepted_up_to_what_has_shipped_and_never_credited_beyond(trade: Trade) -> None:
    order, sku, warehouse = _sold(trade)
    rma = ok(_ask(trade, order, 2))["number"]

    _receive(trade, rma, warehouse, 2, {"sku": sku, "quantity": 9})
    _inspect(trade, rma, warehouse, (2, "restock"))
    assert _ended(trade, rma)["credited"]["amount"] == "176.00"
    [parcel] = _listed(trade, warehouse_id=warehouse)
    over = _match(trade, parcel["number"], order["number"], 9)
    accepted = ok(_match(trade, parcel["number"], order["number"], 8))
    _inspect(trade, accepted["number"], warehouse, (8, "restock"))
    closed = _ended(trade, accepted["number"])
    [left] = _listed(trade, warehouse_id=warehouse)

    assert (parcel["lines"][0]["seems"], parcel["lines"][0]["quantity"]) == ("of_order", 9)
    assert (over.status_code, over.json()["code"]) == (409, "MORE_THAN_RETURNABLE")
    assert (closed["credited"]["amount"], closed["parcel_number"]) == ("704.00", parcel["number"])
    assert (left["number"], left["lines"][0]["matched"], left["state"]) == (parcel["number"], 8, "waiting")
    assert trade.stock(sku) == {warehouse: (20, 0)}
    assert trade.order(order["order_id"])["axes"]["returns"] == "full"
    trade.until_audit_is_clean()


@pytest.mark.parametrize("known_by", ["order", "shipment", "tracking", "nothing"])
def test_a_blind_return_is_matched_to_its_order_and_credited_as_any_other(trade: Trade, known_by: str) -> None:
    order, sku, warehouse = _sold(trade)
    [shipment] = trade.shipments(order["order_id"])
    on_it = {"order": order["number"], "shipment": shipment["number"], "tracking": shipment["tracking_number"]}
    more = {"reference": on_it[known_by]} if known_by in on_it else {}

    goods = {"sku": sku, "quantity": 2} if known_by != "nothing" else {"description": "two pumps", "quantity": 2}
    parcel = _parcel(trade, warehouse, goods, **more)
    waiting = _listed(trade, warehouse_id=warehouse)
    made = ok(_match(trade, parcel["number"], order["number"], 2))
    again = _match(trade, parcel["number"], order["number"], 1)
    _inspect(trade, made["number"], warehouse, (1, "restock"), (1, "quarantine"))
    closed = _ended(trade, made["number"])

    assert parcel["order_number"] == (order["number"] if known_by in on_it else None)
    assert [one["number"] for one in waiting] == [parcel["number"]]
    assert (made["state"], made["stage"], made["waits_for"]) == ("authorized", "received", "warehouse")
    assert again.json()["code"] == "PARCEL_DECIDED"
    assert (closed["state"], closed["credited"]["amount"]) == ("closed", "176.00")
    assert _listed(trade, warehouse_id=warehouse) == []
    assert trade.stock(sku) == {warehouse: (11, 0)}
    trade.until_audit_is_clean()


def test_quarantine_ends_in_stock_in_scrap_or_at_the_vendor_and_the_books_follow(trade: Trade) -> None:
    before = trade.ledger()
    order, sku, warehouse = _sold(trade)
    rma = ok(_ask(trade, order, 5))["number"]
    _receive(trade, rma, warehouse, 5)
    _inspect(trade, rma, warehouse, (3, "quarantine"), (1, "refurbish"), (1, "return_to_vendor"))
    _ended(trade, rma)
    apart = changes(before, trade.ledger())
    waiting = trade.placed(trade.order_body(order["customer_id"], [{"sku": sku, "quantity": 12}]))

    floor = trade.system.api("warehouse")
    rows = ok(floor.get("/v1/quarantine", params={"warehouse_id": warehouse}))["rows"]
    held = {one["disposition"]: one for one in rows}
    decisions = [("quarantine", 1, "scrap"), ("quarantine", 1, "return_to_vendor"), ("quarantine", 1, "release")]
    for which, units, outcome in [*decisions, ("refurbish", 1, "release")]:
        body, again = {"quantity": units, "outcome": outcome, "reason": "looked at"}, key()
        address = f"/v1/quarantine/{held[which]['movement_id']}/decision"
        done = [ok(floor.post(address, json=body, headers=again)) for _ in range(2)]
        assert done[0] == done[1]
    body = {"quantity": 1, "outcome": "scrap", "reason": "again"}
    over = floor.post(f"/v1/quarantine/{held['quarantine']['movement_id']}/decision", json=body, headers=key())
    filled = trade.until(
        waiting["order_id"],
        lambda one: one["lines"][0]["quantities"]["allocated"] == 12,
        "the goods that were released",
    )

    # 5 at 50.00 came back: 4 are kept apart, 1 is the vendor's
    assert (apart["inventory_in_quarantine"], apart["vendor_claims"]) == (20_000, 5_000)
    assert {which: (one["quantity"], one["return_number"], one["value"]) for which, one in held.items()} == {
        "quarantine": (3, rma, None), "refurbish": (1, rma, None),
    }  # fmt: skip
    assert (over.status_code, over.json()["code"]) == (409, "MORE_THAN_QUARANTINED")
    assert filled["lines"][0]["quantities"]["backordered"] == 0

    def claim() -> None:
        moved = changes(before, trade.ledger())
        assert "inventory_in_quarantine" not in moved
        assert (moved["vendor_claims"], moved["inventory_write_offs"]) == (10_000, 5_000)
        assert (moved["inventory"], moved["cost_of_goods_sold"]) == (60_000, 25_000)

    eventually(claim)
    assert ok(floor.get("/v1/quarantine", params={"warehouse_id": warehouse}))["rows"] == []
    trade.until_audit_is_clean()


def test_credit_goods_and_cash_are_three_things_and_each_may_come_alone(trade: Trade) -> None:
    order, sku, warehouse = _sold(trade)
    trade.pay(order["customer_id"], "880.00")
    accounting, support = trade.system.api("accounting"), trade.system.api("support")

    # credit before receipt: the goods come later and are not credited again
    early = ok(_ask(trade, order, 1))["number"]
    ok(accounting.post(f"/v1/returns/{early}/credit", json={"note": "a good customer"}, headers=key()))
    advanced = _until(trade, early, lambda one: one["credited"]["amount"] == "88.00")
    again = accounting.post(f"/v1/returns/{early}/credit", json={"note": "once more"}, headers=key())
    kept_back = support.post(f"/v1/returns/{early}/cancel", json={"note": "no"}, headers=key())
    _receive(trade, early, warehouse, 1)
    _inspect(trade, early, warehouse, (1, "restock"))
    came = _ended(trade, early)
    # receipt without refund: the credit stays on account until a person refunds it
    received = ok(_ask(trade, order, 1))["number"]
    _receive(trade, received, warehouse, 1)
    _inspect(trade, received, warehouse, (1, "restock"))
    _ended(trade, received)
    on_account = trade.ledger()
    # credit without goods: the customer keeps them
    kept = ok(_ask(trade, order, 2))["number"]
    ok(accounting.post(f"/v1/returns/{kept}/keep", json={"note": "not worth the freight"}, headers=key()))
    credited = _ended(trade, kept)
    twice = support.post(f"/v1/returns/{kept}/keep", json={"note": "again"}, headers=key())
    before = trade.ledger()
    refund = ok(accounting.post(f"/v1/returns/{kept}/refund", headers=key()))

    assert (advanced["state"], advanced["lines"][0]["received"], advanced["waits_for"]) == ("authorized", 0, "customer")
    assert (again.json()["code"], kept_back.json()["code"]) == ("RETURN_CREDITED", "RETURN_CREDITED")
    assert (came["state"], came["credited"]["amount"], came["lines"][0]["inspected"]) == ("closed", "88.00", 1)
    assert on_account["unapplied_cash"] <= -17_600
    assert (credited["credited"]["amount"], credited["is_kept"], credited["fees"]["amount"]) == ("176.00", True, "0.00")
    assert [unit["disposition"] for unit in credited["inspections"][0]["units"]] == ["keep"]
    assert (twice.status_code, twice.json()["code"]) == (409, "RETURN_STATE")
    assert refund["refunded"]["amount"] == "176.00"
    assert changes(before, trade.ledger())["cash"] == -17_600
    shown = trade.order(order["order_id"])["lines"][0]["quantities"]
    assert (shown["returned"], trade.stock(sku)) == (2, {warehouse: (12, 0)})
    trade.until_audit_is_clean()


def test_a_large_credit_without_goods_needs_two_people(trade: Trade) -> None:
    order, sku, warehouse = _sold(trade)
    rma = ok(_ask(trade, order, 8))["number"]
    first, second = trade.system.api("support"), trade.system.api("accounting")
    body = {"note": "flooded on their side"}

    asked = ok(first.post(f"/v1/returns/{rma}/keep", json=body, headers=key()))
    alone = first.post(f"/v1/returns/{rma}/keep", json=body, headers=key())
    agreed = ok(second.post(f"/v1/returns/{rma}/keep", json=body, headers=key()))
    closed = _ended(trade, rma)

    assert (asked["state"], asked["is_kept"], asked["waits_for"]) == ("requested", False, "support")
    assert (alone.status_code, alone.json()["code"]) == (403, "SECOND_PERSON")
    assert (agreed["is_kept"], closed["state"], closed["credited"]["amount"]) == (True, "closed", "704.00")
    assert trade.stock(sku) == {warehouse: (10, 0)}
    trade.until_audit_is_clean()
