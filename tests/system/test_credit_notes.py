"""Credit notes and write-offs through the whole system: an order is complete without cash, and cash that was paid goes back."""

from __future__ import annotations

import io
from typing import Any

from pypdf import PdfReader

from tests.billing.test_invoice_documents import read
from tests.einvoices import faults_of
from tests.system.test_a2_partial_shipments import changes
from tests.system.test_a11_money_of_an_order import _stocked
from tests.system.trade import Trade, eventually, key, ok

REASON = {"reason_code": "damaged", "reason": "arrived broken"}


def _billed(trade: Trade, customer: str, sku: str, quantity: int) -> tuple[dict[str, Any], str]:
    """An order that was shipped and delivered, and the number of its invoice."""
    order = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": quantity}]))
    [shipment] = trade.shipments(order["order_id"])
    trade.deliver(trade.send_off(shipment))
    billed = trade.until(order["order_id"], lambda one: bool(one["invoices"]), "the invoice")
    return billed, str(billed["invoices"][0]["number"])


def _credit(trade: Trade, invoice: str, **body: Any) -> dict[str, Any]:
    accounting = trade.system.api("accounting")
    done: dict[str, Any] = ok(
        accounting.post(f"/v1/invoices/{invoice}/credit-notes", json={**REASON, **body}, headers=key())
    )
    return done


def _is_complete(order: dict[str, Any]) -> bool:
    return bool(order["phase"] == "closed")


def test_an_unpaid_invoice_that_is_credited_makes_room_and_completes_its_order(trade: Trade) -> None:
    """Limit 1,000: A 10 at 100 is shipped and unpaid, so B waits for credit; A is credited, B goes, and A is complete."""
    before = trade.ledger()
    customer, sku = trade.customer(credit_limit="1000.00"), _stocked(trade, 20)
    a, invoice = _billed(trade, customer, sku, 10)
    b = trade.placed(trade.order_body(customer, [{"sku": sku, "quantity": 5}]))
    preview = ok(
        trade.system.api("accounting").post(
            f"/v1/invoices/{invoice}/credit-notes/preview", json={**REASON, "everything": True}
        )
    )

    first = _credit(trade, invoice, lines=[{"line_id": "1", "quantity": 4}])
    rest = _credit(trade, invoice, everything=True)
    complete = trade.until(a["order_id"], _is_complete, "the end of A")
    released = trade.until_released(b["order_id"])

    assert b["status"] == "on_hold"
    assert preview["released_order_ids"] == [b["order_id"]]
    assert [one["credit_note"]["total"]["amount"] for one in (first, rest)] == ["400.00", "600.00"]
    assert (rest["invoice"]["status"], rest["invoice"]["open"]["amount"]) == ("credited", "0.00")
    [bill] = complete["invoices"]
    assert (bill["status"], bill["credited"]["amount"], complete["axes"]["payment"]) == (
        "credited",
        "1000.00",
        "credited",
    )
    assert released["status"] != "on_hold"
    listed = ok(trade.system.api("accounting").get(f"/v1/credit-notes?order_id={a['order_id']}"))["rows"]
    assert [one["number"] for one in listed] == [first["credit_note"]["number"], rest["credit_note"]["number"]]
    assert eventually(lambda: _mailed(trade, a["number"], 2))
    assert {f"{one['credit_note']['number']}.pdf" for one in (first, rest)} <= trade.attachments(a["number"]).keys()
    moved = changes(before, trade.ledger())
    assert (moved["revenue"], moved["sales_returns"]) == (-100_000, 100_000)
    assert "accounts_receivable" not in moved
    trade.until_audit_is_clean()


def test_a_credit_note_is_served_to_its_customer_as_a_pdf_and_an_einvoice_and_mailed(trade: Trade) -> None:
    customer, sku = trade.customer(credit_limit="1000.00"), _stocked(trade, 3)
    rival = trade.customer("rival")
    order, invoice = _billed(trade, customer, sku, 3)
    number = _credit(trade, invoice, lines=[{"line_id": "1", "quantity": 1}])["credit_note"]["number"]
    own, theirs = (trade.system.api("customer", one) for one in (customer, rival))

    pdf, xml = (own.get(f"/v1/credit-notes/{number}.{kind}") for kind in ("pdf", "xml"))
    foreign = [theirs.get(f"/v1/credit-notes/{number}.{kind}").status_code for kind in ("pdf", "xml")]
    eventually(lambda: _mailed(trade, order["number"], 1))

    assert (pdf.status_code, xml.status_code, foreign) == (200, 200, [404, 404])
    assert faults_of(xml.content) == []
    assert b"<ram:TypeCode>381</ram:TypeCode>" in xml.content
    [page] = read(pdf.content)
    assert f"Credit note {number}" in page
    assert "Total credited USD 100.00" in page
    assert PdfReader(io.BytesIO(pdf.content)).attachments == {"factur-x.xml": [xml.content]}
    assert trade.attachments(order["number"])[f"{number}.pdf"] == pdf.content


def _mailed(trade: Trade, number: str, count: int) -> bool:
    found = [subject for subject in trade.mails(number) if subject.startswith("Credit note")]
    assert len(found) == count, trade.mails(number)
    return True


def test_a_paid_invoice_that_is_credited_leaves_cash_that_is_refunded(trade: Trade) -> None:
    """3 at 100 are paid; one is credited, its 100.00 lie on account and are refunded; the order stays complete."""
    before = trade.ledger()
    customer, sku = trade.customer(credit_limit="1000.00"), _stocked(trade, 3)
    order, invoice = _billed(trade, customer, sku, 3)
    trade.pay(customer, "300.00")
    trade.until(order["order_id"], _is_complete, "the end")

    done = _credit(trade, invoice, lines=[{"line_id": "1", "quantity": 1}])
    note = done["credit_note"]
    [left] = note["left_over"]
    body = {"amount": left["amount"], "reason": "credited"}
    refund = trade.system.api("accounting").post(f"/v1/payments/{left['payment_id']}/refund", json=body, headers=key())

    def claim() -> None:
        [bill] = trade.order(order["order_id"])["invoices"]
        assert (bill["status"], bill["paid"]["amount"], bill["credited"]["amount"]) == ("paid", "200.00", "100.00")

    eventually(claim)
    assert (note["cash"]["amount"], left["amount"]["amount"]) == ("100.00", "100.00")
    assert (refund.status_code, refund.json()["unapplied"]["amount"]) == (200, "0.00")
    moved = changes(before, trade.ledger())
    assert (moved["cash"], moved["sales_returns"]) == (20_000, 10_000)
    assert not {"accounts_receivable", "unapplied_cash"} & moved.keys()
    trade.until_audit_is_clean()


def test_an_invoice_that_nobody_will_pay_is_written_off_and_its_order_is_complete(trade: Trade) -> None:
    before = trade.ledger()
    customer, sku = trade.customer(credit_limit="1000.00"), _stocked(trade, 2)
    order, invoice = _billed(trade, customer, sku, 2)

    done = ok(
        trade.system.api("accounting").post(
            f"/v1/invoices/{invoice}/write-off", json={"reason": "insolvent"}, headers=key()
        )
    )
    complete = trade.until(order["order_id"], _is_complete, "the end")

    assert (done["invoice"]["status"], done["invoice"]["written_off"]["amount"]) == ("written_off", "200.00")
    assert complete["axes"]["payment"] == "written_off"
    assert changes(before, trade.ledger())["bad_debt"] == 20_000
    trade.until_audit_is_clean()
