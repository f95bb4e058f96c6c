"""Accounting's pages in the whole system: a payment recorded there releases its order, and its reversal holds it again."""

from __future__ import annotations

import html
import re
from urllib.parse import urlencode

import httpx

from tests.system.test_a11_money_of_an_order import PREPAID, _is_released, _stocked
from tests.system.test_console import logged_in
from tests.system.trade import Trade

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def confirm(browser: httpx.Client, preview: str, path: str, **typed: str) -> str:
    """Open a page that says what follows, press its button, and give the page it leads to."""
    form = browser.get(preview).text.partition(f'action="{path}"')[2].partition("</form>")[0]
    hidden = {name: html.unescape(value) for name, value in _HIDDEN.findall(form)}
    answer = browser.post(path, data={**hidden, **typed})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_payment_recorded_on_its_page_releases_the_order_and_its_reversal_holds_it(trade: Trade) -> None:
    """5 at 100, prepaid: waits for 500, goes when they are recorded, and waits again when they are reversed."""
    customer, sku = trade.customer(credit_limit="0.00"), _stocked(trade, 3)
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}], payment=PREPAID))
    token = trade.system.issuer.token(sub="carol", roles=["accounting"])
    typed = {"customer": customer, "amount": "500.00", "currency": "USD", "reference": "CHECK-1"}
    typed[f"order-{order['order_id']}"] = "500.00"
    preview = f"/accounting/payments/new/preview?{urlencode(typed)}"

    with logged_in(trade, "carol", token=token) as browser:
        waiting = browser.get(f"/accounting/waiting?customer={customer}").text
        payment = confirm(browser, preview, "/accounting/payments")
        trade.until(order["order_id"], _is_released, "the release")
        after = browser.get(f"/accounting/waiting?customer={customer}").text
        trade.when_idle(order["order_id"])
        foreseen = browser.get(f"{payment}/reversal").text
        confirm(browser, f"{payment}/reversal", f"{payment}/reversal", reason="the check bounced")
        trade.until(order["order_id"], lambda one: one["status"] == "on_hold", "the hold")
        page = browser.get(f"/orders/{order['number']}").text

    assert (order["number"] in waiting, order["number"] in after) == (True, False)
    assert f"Order {order['number']} is waiting for its money again" in foreseen
    assert "Waiting on the customer’s cash" in page
    assert "the check bounced" in page
    trade.until_audit_is_clean()
