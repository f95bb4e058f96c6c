"""Customers at the payment provider's page: another card for an order that waits for one, and an invoice paid there."""

from __future__ import annotations

from typing import Any

import httpx

from tests.billing.card_desk import GOOD_CARD, POOR
from tests.system.test_console import logged_in, press
from tests.system.trade import Trade, eventually, ok


def _order(trade: Trade, quantity: int, **changes: Any) -> tuple[str, dict[str, Any]]:
    """A customer and an order of them, placed; 100.00 a unit."""
    customer = trade.customer(credit_limit=changes.pop("credit_limit", "0.00"))
    sku, warehouse = trade.product("pump", "100.00", cost="60.00"), trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, sku, quantity, "60.00")
    body = trade.order_body(customer, [{"sku": sku, "quantity": quantity}], **changes)
    return customer, trade.placed(body, role="customer")


def _at_provider(trade: Trade, subject: str) -> str:
    """The provider's newest page of an order; the card that is entered there, and where that leads back to."""
    sessions = trade.system.stripe.state.all("checkout.session")
    url = next(one["url"] for one in sessions if one["metadata"]["order"] == subject)
    sent = httpx.post(url, data={"number": GOOD_CARD}, follow_redirects=False, trust_env=False)
    assert sent.status_code == 303
    return httpx.URL(sent.headers["location"]).raw_path.decode()


def _money(trade: Trade, order_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(trade.system.api("accounting").get(f"/v1/orders/{order_id}/money"))
    return found


def test_an_order_goes_on_once_its_customer_has_entered_another_card_at_the_provider(trade: Trade) -> None:
    customer, placed = _order(trade, 5, payment={"method": "card", "token": POOR})
    order_id, page = placed["order_id"], f"/my/orders/{placed['number']}"
    token = trade.system.issuer.token(sub="buyer", roles=["customer"], company=customer)
    before = _money(trade, order_id)

    with logged_in(trade, "buyer", token=token) as browser:
        press(browser, page, f"{page}/card")
        back = _at_provider(trade, order_id)
        returned = [browser.get(back).headers.get("location") for _ in range(2)]
        shown = browser.get(page).text
    trade.until(order_id, lambda order: bool(order["shipments"]), "the release")
    trade.send_off(trade.shipments(order_id)[0])
    after = trade.when_idle(order_id)

    assert (before["waiting_on"], before["card"]) == ("card", "declined")
    assert returned == [page, page]
    assert "Your card is accepted." in shown
    assert not [one for one in after["holds"] if not one["released_at"]]
    assert _money(trade, order_id)["captured"]["amount"] == "500.00"
    assert "pm_" not in str(trade.order(order_id))
    trade.until_audit_is_clean()


def test_an_invoice_that_its_customer_pays_at_the_provider_is_paid_though_nobody_comes_back(trade: Trade) -> None:
    customer, placed = _order(trade, 3, credit_limit="5000.00")
    trade.send_off(trade.shipments(placed["order_id"])[0])
    [invoice] = trade.when_idle(placed["order_id"])["invoices"]
    token = trade.system.issuer.token(sub="buyer", roles=["customer"], company=customer)

    with logged_in(trade, "buyer", token=token) as browser:
        press(browser, "/my", f"/my/invoices/{invoice['number']}/payment")
        back = _at_provider(trade, placed["order_id"])

        def is_paid() -> None:
            assert trade.order(placed["order_id"])["invoices"][0]["status"] == "paid"

        eventually(is_paid)
        late = browser.get(back)

    [payment] = ok(trade.system.api("accounting").get("/v1/payments", params={"customer_id": customer}))["rows"]
    assert late.headers["location"] == "/my"
    assert payment["amount"]["amount"] == "300.00"
    trade.until_audit_is_clean()
