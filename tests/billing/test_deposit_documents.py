"""Deposit invoices as PDFs, read back as their reader sees them, and as e-invoices, judged by the schema and the rules of EN 16931."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader

from oms.billing.v1 import billing_pb2 as pb
from services.billing.documents import rendering
from services.billing.documents.cii import cii
from services.billing.documents.content import invoice_content
from services.billing.documents.deposit_content import deposit_content
from services.billing.documents.deposit_einvoice import deposit_einvoice_of
from services.billing.documents.einvoice import einvoice_of
from services.billing.domain.deposit_invoices import DepositDeduction, DepositInvoice, contained
from services.billing.domain.headers import Address
from services.billing.domain.invoices import Invoice
from services.kernel.errors import Refused
from services.kernel.money import Money
from tests.billing.desk import CONTEXT, Desk
from tests.billing.test_deposit_invoices import listed, make
from tests.billing.test_einvoices import CASES, NORDPUMPE, said
from tests.billing.test_invoice_documents import SELLER, billed, read, sold
from tests.einvoices import faults_of

TAXED = ("ApplicableHeaderTradeSettlement", "ApplicableTradeTax")
NOT_PAID_AHEAD = {"a discount of everything", "paid where it was bought"}
KINDS = sorted(CASES.keys() - NOT_PAID_AHEAD)


def deposit_of(invoice: Invoice, minor: int = 0) -> DepositInvoice:
    """The deposit invoice of cash for an order that comes to what the invoice does; 30 % of it when nothing is said."""
    currency = invoice.total.currency
    amount, zero = Money(minor or invoice.total.minor * 3 // 10, currency), Money.zero(currency)
    parts = contained(amount, invoice.tax_parts)
    return DepositInvoice(
        "dep_1", "DI-1001", "invoice", invoice.order_id, invoice.order_number, invoice.customer_id, date(2026, 2, 28),
        date(2026, 2, 27), datetime(2026, 2, 28, 12, tzinfo=UTC), parts, parts, zero, zero, header=invoice.header,
    )  # fmt: skip


def taken_back(posted: DepositInvoice) -> DepositInvoice:
    return replace(
        posted, deposit_invoice_id="dep_2", number="DC-1001", kind="credit_note", left=(), corrects=posted.number,
        corrected_on=posted.invoiced_on, reason="The payment was returned: check bounced", invoiced_on=date(2026, 3, 9),
    )  # fmt: skip


def deducting(invoice: Invoice, *posted: DepositInvoice) -> Invoice:
    """The invoice with these deposits deducted and paid by their cash."""
    rows = tuple(
        DepositDeduction(
            one.deposit_invoice_id, one.number, one.invoiced_on, invoice.invoice_id, invoice.number, one.total, one.tax
        )
        for one in posted
    )
    return replace(invoice, deductions=rows, paid=Money.total((one.amount for one in rows), invoice.total.currency))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_deposit_is_an_einvoice_without_a_fault_and_so_is_its_credit_note(name: str) -> None:
    posted = deposit_of(CASES[name])

    for document, type_code, paid in (
        (posted, "386", posted.total),
        (taken_back(posted), "381", posted.total - posted.total),
    ):
        xml = cii(deposit_einvoice_of(document, NORDPUMPE))
        assert faults_of(xml) == []
        assert f"<ram:TypeCode>{type_code}</ram:TypeCode>".encode() in xml
        assert said(xml, "GrandTotalAmount") == [posted.total.text]
        assert said(xml, "TotalPrepaidAmount") == [paid.text]


def test_a_deposit_of_mixed_rates_says_the_tax_of_each() -> None:
    """181.63 with 119.00 × 104.50, 7 % and none: half of it has half of each tax."""
    posted = deposit_of(CASES["mixed rates"], 90_82)

    xml = cii(deposit_einvoice_of(posted, NORDPUMPE))

    # 124.36, 37.27 and 20.00 of 181.63: 62.18 with 9.93 of tax, 18.64 with 1.22, and 10.00
    assert said(xml, *TAXED, "RateApplicablePercent") == ["19", "7", "0"]
    assert said(xml, *TAXED, "CalculatedAmount") == ["9.93", "1.22", "0.00"]
    assert said(xml, *TAXED, "BasisAmount") == ["52.25", "17.42", "10.00"]
    assert said(xml, "DuePayableAmount") == ["0.00"]


def test_a_credit_note_names_the_deposit_invoice_that_it_takes_back() -> None:
    xml = cii(deposit_einvoice_of(taken_back(deposit_of(CASES["one rate"])), NORDPUMPE))

    assert said(xml, "InvoiceReferencedDocument", "IssuerAssignedID") == ["DI-1001"]
    assert said(xml, "IncludedNote", "Content") == ["The payment was returned: check bounced"]


@pytest.mark.parametrize("name", KINDS)
def test_an_invoice_names_the_deposits_it_deducts_without_a_fault(name: str) -> None:
    invoice = CASES[name]
    first, second = deposit_of(invoice), replace(deposit_of(invoice, 1), deposit_invoice_id="dep_9", number="DI-1002")
    final = deducting(replace(invoice, discount_taken=None), first, second)

    xml = cii(einvoice_of(final, NORDPUMPE))

    assert faults_of(xml) == []
    assert said(xml, "InvoiceReferencedDocument", "IssuerAssignedID") == ["DI-1001", "DI-1002"]
    assert said(xml, "TotalPrepaidAmount") == [final.paid.text]
    [note] = said(xml, "IncludedNote", "Content")
    assert f"Deposit invoice DI-1001, {first.total.text}" in note.replace(",", "", 0)
    assert f"charged {first.tax.text} already" in note


def test_a_deposit_invoice_is_a_page_that_says_what_came_and_the_tax_in_it() -> None:
    [page] = read(rendering.pdf(deposit_content(deposit_of(CASES["one rate"]), NORDPUMPE)))

    # 35.70 of 119.00 with 19 %: 30.00 and 5.70
    for text in (
        "Deposit invoice DI-1001", "Invoice date Feb 28, 2026", "Received Feb 27, 2026", "Your PO PO-7781", "Bill to Pompes SA",
        "Deposit on order SO-1001, taxed at 19% 1 30.00 30.00", "Without tax 30.00", "Tax 19% of 30.00 5.70", "Total EUR 35.70", "Received −35.70",
        "Amount due EUR 0.00", "Paid in full. Nothing is to be paid.",
        "The invoices of order SO-1001 deduct it, with the tax that is charged here.",
    ):  # fmt: skip
        assert text in page, (text, page)
    assert "Scan to pay" not in page


def test_a_credit_note_is_a_page_that_says_why() -> None:
    [page] = read(rendering.pdf(deposit_content(taken_back(deposit_of(CASES["one rate"])), NORDPUMPE)))

    for text in (
        "Credit note DC-1001", "Of invoice DI-1001", "Invoice date Feb 28, 2026", "Total credited EUR 35.70",
        "Reason: The payment was returned: check bounced", "This note corrects deposit invoice DI-1001.",
    ):  # fmt: skip
        assert text in page, (text, page)
    assert "Amount due" not in page


def test_the_paper_of_an_invoice_deducts_its_deposits_by_name() -> None:
    invoice = deducting(CASES["one rate"], deposit_of(CASES["one rate"]))

    [page] = read(rendering.pdf(invoice_content(invoice, NORDPUMPE)))
    [bounced] = read(rendering.pdf(invoice_content(replace(invoice, paid=Money.zero("EUR")), NORDPUMPE)))

    assert "Total EUR 119.00 Deposit DI-1001 −35.70 Amount due EUR 83.30" in page
    charged = "Deposit invoice DI-1001, 35.70 EUR, is deducted: of the tax here it has charged 5.70 already."
    assert charged in page
    assert "Total EUR 119.00 Amount due EUR 119.00" in bounced


def test_what_the_standard_asks_for_and_is_not_there_refuses_the_einvoice() -> None:
    posted = deposit_of(CASES["one rate"])
    placeless = replace(posted, header=replace(posted.header, ship_to=Address()))

    with pytest.raises(Refused, match="DI-1001 cannot be an e-invoice: no country of its buyer"):
        deposit_einvoice_of(placeless, NORDPUMPE)


@pytest.mark.on_postgres
def test_it_is_rendered_with_its_einvoice_in_it_and_stays_as_it_was_posted(desk: Desk) -> None:
    desk.billing.seller = SELLER
    order = sold(tax_rate="0.0825", payment_method="deposit")
    desk.orders[order.order_id] = order
    desk.limit(10_000_000)
    desk.commit(order.order_id, order.total.minor_units, method="deposit", deposit=100_000)
    desk.pay(100_000, "WIRE-1", orders={order.order_id: 100_000})
    make(desk)
    wanted = pb.RenderDepositInvoiceRequest(deposit_invoice="di-1001", customer_id="cus_acme")

    before = desk.billing.RenderDepositInvoice(wanted, CONTEXT)
    billed(desk, order)
    after = desk.billing.RenderDepositInvoice(wanted, CONTEXT)
    xml = desk.billing.RenderEDepositInvoice(pb.RenderEDepositInvoiceRequest(deposit_invoice="DI-1001"), CONTEXT).xml

    assert (before.number, before.pdf) == ("DI-1001", after.pdf)
    assert faults_of(xml) == []
    assert PdfReader(io.BytesIO(after.pdf)).attachments == {"factur-x.xml": [xml]}
    assert listed(desk)[0].open.minor_units == 0
