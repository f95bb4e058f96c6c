"""A cancellation fee of an order by card: captured from its hold, or kept of what was paid, to the cent; the provider may be down."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.card_desk import VISA
from tests.system.test_a2_partial_shipments import changes
from tests.system.test_a7_refund import _provider_down
from tests.system.test_a11_card_pages import _at_provider
from tests.system.test_cancellation_fees import _cancel, _fees, rig  # noqa: F401 - a fixture
from tests.system.test_console import logged_in, press
from tests.system.trade import Trade, eventually, ok


def _money(trade: Trade, order_id: str) -> dict[str, Any]:
    found = ok(trade.system.api("accounting").get(f"/v1/orders/{order_id}/money"))
    return {name: one["amount"] if isinstance(one, dict) else one for name, one in found.items()}


def _until_paid(trade: Trade, order_id: str, fee: str) -> None:
    def claim() -> None:
        assert _fees(trade, order_id) == [(fee, "paid")]

    eventually(claim)


@pytest.fixture
def charged(trade: Trade) -> tuple[str, dict[str, int]]:
    """A customer without credit, and the ledger as it was."""
    return trade.customer(credit_limit="0.00"), trade.ledger()


def test_a_fee_is_captured_from_the_hold_and_the_rest_is_let_go_however_long_the_provider_is_down(
    trade: Trade, rig: str, charged: tuple[str, dict[str, int]]  # noqa: F811 - the fixture
) -> None:  # fmt: skip
    """10 rigs at 100.00 and 25 %: a part of 4, then the rest of 6, while the provider is down."""
    trade.warehouses({"w1": 900})
    customer, before = charged
    body = trade.order_body(customer, [{"sku": rig, "quantity": 10}], payment={"method": "card", "token": VISA})
    order_id = trade.placed(body)["order_id"]
    trade.when_idle(order_id)

    _cancel(trade, order_id, lines=[{"line_id": "1", "quantity": 4}])
    _until_paid(trade, order_id, "100.00")
    part = _money(trade, order_id)
    with _provider_down(trade):
        _cancel(trade, order_id)
        down = _fees(trade, order_id)

    def over() -> None:
        assert _fees(trade, order_id) == [("100.00", "paid"), ("150.00", "paid")]
        assert _money(trade, order_id)["authorized"] == "0.00"

    eventually(over)
    moved = changes(before, trade.ledger())
    assert (part["authorized"], part["captured"]) == ("900.00", "100.00")
    assert down == [("100.00", "paid"), ("150.00", "open")]
    assert _money(trade, order_id)["captured"] == "250.00"
    assert moved["fee_income"] == -25_000
    assert moved["cash"] + moved["card_fees"] == 25_000
    assert trade.order(order_id)["status"] == "cancelled"
    trade.until_audit_is_clean()


def test_what_was_paid_by_card_at_order_is_refunded_less_the_fee(trade: Trade, rig: str) -> None:  # noqa: F811 - the fixture
    trade.warehouses({"w1": 900})
    customer, before = trade.customer(invoicing="at_order"), trade.ledger()
    order_id = trade.placed(
        trade.order_body(customer, [{"sku": rig, "quantity": 10}]),
    )["order_id"]

    def invoiced() -> str:
        found = ok(trade.system.api("accounting").get("/v1/invoices", params={"order_id": order_id}))["rows"]
        assert found
        return str(found[0]["number"])

    number = eventually(invoiced)
    token = trade.system.issuer.token(sub="buyer", roles=["customer"], company=customer)
    with logged_in(trade, "buyer", token=token) as browser:
        press(browser, "/my", f"/my/invoices/{number}/payment")
        _at_provider(trade, order_id)
    trade.until(order_id, lambda one: one["axes"]["payment"] == "paid", "the payment")
    trade.when_idle(order_id)

    does = _cancel(trade, order_id)

    def refunded() -> None:
        assert _money(trade, order_id)["refunded"] == "750.00"
        assert changes(before, trade.ledger()).get("refunds_payable", 0) == 0

    eventually(refunded)
    moved = changes(before, trade.ledger())
    assert (does["refund"]["amount"], _fees(trade, order_id)) == ("750.00", [("250.00", "paid")])
    assert (moved["fee_income"], moved["cash"] + moved["card_fees"]) == (-25_000, 25_000)
    trade.until_audit_is_clean()
