"""A discount with a minimum through the whole system: a return of half takes it back of the other half, which has it back when that comes."""

from __future__ import annotations

from tests.billing.test_invoice_documents import read
from tests.einvoices import faults_of
from tests.system.test_a2_partial_shipments import changes
from tests.system.test_a8_return import _ask, _back, _sold, _until
from tests.system.test_console import logged_in
from tests.system.trade import Trade, key, ok


def test_what_is_kept_below_the_minimum_loses_its_discount(trade: Trade) -> None:
    """10 at 80.00 less 80.00, taxed at 10 %, the discount from 600.00 on: 5 back are 400.00 - 40.00 - 40.00, the rest 400.00."""
    before = trade.ledger()
    order, _, warehouse = _sold(trade, discount="80.00", discount_minimum="600.00")
    trade.pay(order["customer_id"], "792.00")
    accounting, notes = trade.system.api("accounting"), f"/v1/credit-notes?order_id={order['order_id']}"

    for _ in range(2):
        rma = str(_ask(trade, order, 5).json()["number"])
        _back(trade, rma, warehouse, 5, (5, "A", "restock", "customer"))
        _until(trade, rma, lambda one: bool(one["ended_at"]))
        ok(accounting.post(f"/v1/returns/{rma}/refund", headers=key()))

    first, second = ok(accounting.get(notes))["rows"]
    own = trade.system.api("customer", order["customer_id"])
    pdf, xml = (own.get(f"/v1/credit-notes/{first['number']}.{kind}").content for kind in ("pdf", "xml"))
    token = trade.system.issuer.token(sub="carol", roles=["accounting"])
    with logged_in(trade, "carol", token=token) as browser:
        page = browser.get(f"/orders/{order['number']}").text
    assert (order["discount_minimum"]["amount"], order["claws_back"]) == ("600.00", True)
    assert [(one["claw_back"]["amount"], one["total"]["amount"]) for one in (first, second)] == [
        ("40.00", "352.00"),
        ("-40.00", "440.00"),
    ]
    assert "of goods on, taken back when less is kept" in page
    assert "Discount taken back −40.00" in read(pdf)[0]
    assert faults_of(xml) == []
    moved = changes(before, trade.ledger())
    assert (moved["revenue"], moved["sales_returns"], "cash" in moved) == (-72_000, 72_000, False)
    trade.until_audit_is_clean()
