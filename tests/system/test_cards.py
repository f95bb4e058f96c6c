"""An order by card through the whole system: authorized, shipped twice, captured twice, paid; and a card that is declined."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.system.harness import System
from tests.system.trade import Trade, eventually, key, ok

VISA = "pm_card_visa"
POOR = "pm_card_visa_chargeDeclinedInsufficientFunds"


def _stocked(trade: Trade, quantity: int) -> tuple[str, str]:
    sku = trade.product("pump", "100.00", cost="60.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, quantity, "60.00")
    return sku, warehouse


def _money(trade: Trade, order_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(trade.system.api("accounting").get(f"/v1/orders/{order_id}/money"))
    return {name: one["amount"] if isinstance(one, dict) else one for name, one in found.items()}


def _card(token: str = "") -> dict[str, str]:
    return {"method": "card"} | ({"token": token} if token else {})


def test_card_order_of_two_shipments_is_captured_twice_and_paid_without_any_credit(trade: Trade) -> None:
    """10 at 100.00, 4 in stock: 400.00, then 600.00."""
    customer, (sku, warehouse) = trade.customer(credit_limit="0.00"), _stocked(trade, 4)
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 10}], payment=_card(VISA)))
    authorized = _money(trade, placed["order_id"])
    [first] = trade.shipments(placed["order_id"])
    trade.send_off(first)
    between = trade.when_idle(placed["order_id"])
    part = _money(trade, placed["order_id"])

    trade.receive(warehouse, sku, 6, "60.00")
    trade.until(placed["order_id"], lambda order: len(order["shipments"]) == 2, "the second release")
    trade.send_off(trade.shipments(placed["order_id"])[1])
    trade.when_idle(placed["order_id"])
    for shipment in trade.shipments(placed["order_id"]):
        trade.deliver(shipment)
    done = trade.when_idle(placed["order_id"])

    assert (placed["phase"], placed["holds"]) == ("accepted", [])
    assert (authorized["card"], authorized["authorized"], authorized["captured"]) == ("authorized", "1000.00", "0.00")
    assert [one["status"] for one in between["invoices"]] == ["paid"]
    assert (part["authorized"], part["captured"]) == ("600.00", "400.00")
    assert done["status"] == "completed"
    assert [one["status"] for one in done["invoices"]] == ["paid", "paid"]
    assert _money(trade, placed["order_id"])["captured"] == "1000.00"
    intents = trade.system.stripe.state.all("payment_intent")
    assert [one["amount_received"] for one in intents if one["metadata"]["order"] == placed["order_id"]] == [100_000]
    trade.until_audit_is_clean()


def test_card_token_is_kept_in_one_place_and_told_to_nobody(trade: Trade, capsys: pytest.CaptureFixture[str]) -> None:
    """Logs, histories, mails, answers and every table but one, while one card is declined and another captured."""
    poor, good = f"pm_card_{trade.tag}_chargeDeclined", f"pm_card_{trade.tag}"
    customer, (sku, _) = trade.customer(credit_limit="0.00"), _stocked(trade, 2)
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 2}], payment=_card(poor)))
    order_id, accounting = placed["order_id"], trade.system.api("accounting")
    for token in ("pm_unknown_" + trade.tag, good):
        ok(accounting.post(f"/v1/orders/{order_id}/card", json={"token": token}, headers=key()))
    trade.until(order_id, lambda order: bool(order["shipments"]), "the release")
    trade.send_off(trade.shipments(order_id)[0])
    trade.when_idle(order_id)

    texts = [
        *_histories(trade.system, order_id),
        *(str(mail) for mail in trade.system.sink.messages),
        capsys.readouterr().out,
        ok(trade.system.api("auditor").get(f"/v1/orders/{order_id}/history")),
        trade.order(order_id),
        _money(trade, order_id),
    ]
    assert _money(trade, order_id)["captured"] == "200.00"
    assert [one[:200] for one in map(str, texts) if f"pm_card_{trade.tag}" in one] == []
    assert _tables_with(trade.system, trade.tag) == ["order_card"]


def test_card_that_is_declined_holds_the_order_until_another_one_is_given(trade: Trade) -> None:
    customer, (sku, _) = trade.customer(credit_limit="0.00"), _stocked(trade, 5)
    body = trade.order_body(customer, [{"sku": sku, "quantity": 5}], payment=_card(POOR))
    placed = trade.placed(body, role="customer")
    declined = _money(trade, placed["order_id"])

    given = ok(
        trade.system.api("customer", customer).post(
            f"/v1/orders/{placed['order_id']}/card", json={"token": VISA}, headers=key()
        )
    )
    trade.until(placed["order_id"], lambda order: bool(order["shipments"]), "the release")
    after = trade.when_idle(placed["order_id"])

    assert [(one["code"], one["hold_type"]) for one in placed["holds"]] == [("CARD_DECLINED", "payment")]
    assert (declined["waiting_on"], declined["decline_reason"]) == ("card", "insufficient_funds")
    assert given["card"] == "authorized"
    assert not [one for one in after["holds"] if not one["released_at"]]
    assert "pm_card" not in str(after)
    trade.until_audit_is_clean()


def test_card_order_is_accepted_once_a_provider_that_was_away_answers(trade: Trade) -> None:
    customer, (sku, _) = trade.customer(credit_limit="0.00"), _stocked(trade, 2)
    trade.system.stripe.switches.turn("away", 5)

    placed = ok(trade.place(trade.order_body(customer, [{"sku": sku, "quantity": 2}], payment=_card(VISA))))
    trade.until(placed["order_id"], lambda order: bool(order["shipments"]), "the release")
    trade.when_idle(placed["order_id"])

    intents = [one["metadata"]["order"] for one in trade.system.stripe.state.all("payment_intent")]
    assert intents.count(placed["order_id"]) == 1
    assert _money(trade, placed["order_id"])["authorized"] == "200.00"
    trade.until_audit_is_clean()


def test_card_payment_that_is_disputed_at_the_provider_is_an_exception_of_accounting(trade: Trade) -> None:
    """The event of the dispute, signed, is what makes billing read it."""
    customer, (sku, _) = trade.customer(credit_limit="0.00"), _stocked(trade, 2)
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 2}], payment=_card(VISA)))
    trade.send_off(trade.shipments(placed["order_id"])[0])
    trade.when_idle(placed["order_id"])
    stripe, order_id = trade.system.stripe, placed["order_id"]
    [intent] = [one["id"] for one in stripe.state.all("payment_intent") if one["metadata"]["order"] == order_id]

    with stripe.state.transaction():
        stripe.intents.dispute(intent, trade.system.now())
    stripe.events.wake()

    def is_open() -> None:
        found = ok(trade.system.api("accounting").get("/v1/exceptions", params={"order_id": order_id}))["rows"]
        assert [(one["kind"], one["owner_role"]) for one in found] == [("card_disputed", "accounting")]

    eventually(is_open)
    trade.until_audit_is_clean()


def test_card_order_that_is_cancelled_lets_its_authorization_go(trade: Trade) -> None:
    customer, (sku, _) = trade.customer(credit_limit="0.00"), _stocked(trade, 5)
    placed = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}], payment=_card(VISA)))
    before = _money(trade, placed["order_id"])["authorized"]

    ok(
        trade.system.api("support").post(
            f"/v1/orders/{placed['order_id']}/cancellation", json={"reason": "not needed"}, headers=key()
        )
    )
    trade.until(placed["order_id"], lambda order: order["phase"] == "cancelled", "the cancellation")
    trade.when_idle(placed["order_id"])

    assert before == "500.00"
    assert _money(trade, placed["order_id"])["authorized"] == "0.00"
    trade.until_audit_is_clean()


def _tables_with(system: System, tag: str) -> list[str]:
    """The tables of orders and billing in which a token of this tag is, by name."""
    found = []
    for name in ("orders", "billing"):
        database = system.processes[name].database
        with database.reading() as session:
            for table in database.metadata.tables:
                rows = session.execute(text(f'SELECT * FROM "{table}"'))  # our own tables
                found += [table for row in rows if f"pm_card_{tag}" in str(row)][:1]
    return found


def _histories(system: System, order_id: str) -> list[str]:
    """Every event of the order's workflow, as text."""
    workflow = system.workflow(order_id)

    async def read() -> list[str]:
        return [str(event) async for event in workflow.fetch_history_events()]

    return system.on_loop(read())
