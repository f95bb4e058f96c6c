"""Credit notes as PDFs, read back as their reader sees them, and as e-invoices, judged by the schema and the rules of EN 16931."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pypdf import PdfReader

from oms.billing.v1 import billing_pb2 as pb
from services.billing.documents import rendering
from services.billing.documents.cii import cii
from services.billing.documents.credit_content import credit_content
from services.billing.documents.credit_einvoice import credit_einvoice_of
from services.billing.documents.einvoice import einvoice_of
from services.billing.domain.credit_notes import CreditAsked, CreditedSoFar, CreditNote, credit, land
from services.billing.domain.headers import Address
from services.billing.domain.invoices import Invoice
from services.kernel.errors import NotFound, Refused
from services.kernel.money import Money
from tests.billing.desk import CONTEXT, Desk
from tests.billing.test_credit_note_figures import after
from tests.billing.test_einvoices import CASES, NORDPUMPE, S7, S19, invoice_of, part, said
from tests.billing.test_invoice_documents import SELLER, billed, read, sold
from tests.einvoices import faults_of

SUMS = ("LineTotalAmount", "ChargeTotalAmount", "AllowanceTotalAmount", "GrandTotalAmount", "DuePayableAmount")
TAXED = ("ApplicableHeaderTradeSettlement", "ApplicableTradeTax")
CREDITABLE = sorted(CASES.keys() - {"a discount of everything", "paid where it was bought"})


def asked(invoice: Invoice, *line_ids: str, freight: int = 0, allowance: int = 0, is_all: bool = False) -> CreditAsked:
    currency = invoice.total.currency
    return CreditAsked(
        dict.fromkeys(line_ids, 1), Money(freight, currency), Money(allowance, currency), is_all, "damaged", "arrived broken"
    )  # fmt: skip


def noted(invoice: Invoice, *wanted: CreditAsked) -> list[CreditNote]:
    """The credit notes that an invoice gets, one after the other."""
    so_far, notes = CreditedSoFar.none(invoice.total.currency), []
    for number, one in enumerate(wanted, 1001):
        found = credit(invoice, one, so_far)
        landing = land(invoice, found.parts.total)
        invoice = replace(
            invoice, credited_total=invoice.credited + found.parts.total, paid=invoice.paid - landing.cash,
            discount_taken=(invoice.discount_taken or landing.discount) - landing.discount,
        )  # fmt: skip
        note = CreditNote(
            f"cn_{number}", f"CN-{number}", invoice.invoice_id, invoice.number, invoice.order_id, invoice.order_number,
            invoice.customer_id, date(2026, 3, 9), datetime(2026, 3, 9, 12, tzinfo=UTC), one.reason_code, one.reason,
            found.lines, found.parts, landing, by_tax=found.by_tax,
        )  # fmt: skip
        notes.append(note)
        so_far = after(so_far, found)
    return notes


def faultless(invoice: Invoice, note: CreditNote) -> bytes:
    """The e-invoice of a credit note, which nobody finds a fault in."""
    xml = cii(credit_einvoice_of(note, invoice, NORDPUMPE))
    assert faults_of(xml) == []
    return xml


def sums(xml: bytes) -> list[str]:
    """Lines, charges, allowances, total and due."""
    return [text for name in SUMS for text in said(xml, "SpecifiedTradeSettlementHeaderMonetarySummation", name)]


def test_a_credit_note_names_the_invoice_that_it_corrects_and_what_it_credits() -> None:
    invoice = CASES["mixed rates"]
    [note] = noted(invoice, asked(invoice, is_all=True))

    [page] = read(rendering.pdf(credit_content(note, invoice, NORDPUMPE)))

    for text in (
        "Credit note CN-1001", "Of invoice INV-000001", "Invoice date Mar 2, 2026", "Date Mar 9, 2026", "Your PO PO-7781",
        "Bill to Pompes SA", "SKU-1 line 1 1 100.00 100.00", "Merchandise 153.33", "Discount −6.67", "Freight 12.67",
        "Tax 19% of 104.50 19.86", "Tax 7% of 34.83 2.44", "Tax 0% of 20.00 0.00", "Total credited EUR 181.63",
        "Reason: arrived broken", "This note corrects invoice INV-000001.", "181.63 EUR goes off what is open on the invoice.",
    ):  # fmt: skip
        assert text in page, (text, page)
    assert "Scan to pay" not in page
    assert "Amount due" not in page


def test_a_credit_note_of_an_allowance_alone_has_no_line_and_says_its_tax() -> None:
    invoice = CASES["one rate"]
    [note] = noted(invoice, asked(invoice, allowance=10_00))

    [page] = read(rendering.pdf(credit_content(note, invoice, NORDPUMPE)))

    assert "Price allowance 10.00 Tax 19% of 10.00 1.90 Total credited EUR 11.90" in page
    assert "Merchandise" not in page
    assert "SKU Description" not in page


def test_a_credit_note_says_where_its_total_goes() -> None:
    settled = {"paid": Money(100_00, "EUR"), "discount_taken": Money(2_00, "EUR"), "given_up": Money(10_00, "EUR")}
    invoice = replace(CASES["one rate"], **settled)  # type: ignore[arg-type]  # members of an invoice
    [note] = noted(invoice, asked(invoice, is_all=True))

    # 119.00 - 100.00 - 2.00 - 10.00 = 7.00 is open; 119.00 - 7.00 - 10.00 - 2.00 = 100.00
    [page] = read(rendering.pdf(credit_content(note, invoice, NORDPUMPE)))

    assert (
        "7.00 EUR goes off what is open on the invoice. 10.00 EUR goes off what had been written off. "
        "2.00 EUR was given as discount for paying early. 100.00 EUR was paid and is left on your account." in page
    )


@pytest.mark.parametrize("name", CREDITABLE)
def test_every_kind_of_invoice_is_credited_by_einvoices_without_a_fault_that_sum_to_it(name: str) -> None:
    """An allowance first, so that the goods come back at less than they were billed; then the rest."""
    invoice = CASES[name]

    part_of_it = asked(invoice, allowance=invoice.charges.merchandise.minor // 10)
    notes = noted(invoice, part_of_it, asked(invoice, is_all=True))

    totals = [
        Money.parse(said(faultless(invoice, note), "GrandTotalAmount")[0], invoice.total.currency) for note in notes
    ]
    assert sum(totals, start=Money.zero(invoice.total.currency)) == invoice.total


def test_a_credit_note_of_one_rate_among_several_has_that_rate_alone() -> None:
    invoice = CASES["mixed rates"]
    [note] = noted(invoice, asked(invoice, "2"))

    xml = faultless(invoice, note)

    # 33.33 - 1.67 = 31.66; 2.44 × 31.66 / 34.83 = 2.22
    assert sums(xml) == ["33.33", "0.00", "1.67", "33.88", "33.88"]
    assert said(xml, *TAXED, "RateApplicablePercent") == ["7"]
    assert said(xml, "IncludedSupplyChainTradeLineItem", "SpecifiedTradeProduct", "SellerAssignedID") == ["SKU-2"]
    assert b"<ram:TypeCode>381</ram:TypeCode>" in xml
    assert said(xml, "InvoiceReferencedDocument", "IssuerAssignedID") == ["INV-000001"]
    assert said(xml, "IncludedNote", "Content") == ["arrived broken"]
    assert said(xml, "SpecifiedTradePaymentTerms", "Description") == ["33.88 EUR goes off what is open on the invoice."]
    assert said(xml, "BuyerOrderReferencedDocument", "IssuerAssignedID") == ["PO-7781"]
    assert said(xml, "SpecifiedTradeSettlementPaymentMeans", "TypeCode") == []


def test_an_allowance_is_a_line_of_each_rate() -> None:
    invoice = CASES["mixed rates"]
    [note] = noted(invoice, asked(invoice, allowance=10_00))

    xml = faultless(invoice, note)

    # of 95.00, 31.66 and 20.00; 19.86 × 6.48 / 104.50 = 1.23; 2.44 × 2.16 / 34.83 = 0.15
    assert said(xml, "SpecifiedTradeProduct", "Name") == ["Price allowance"] * 3
    assert said(xml, "SpecifiedTradeSettlementLineMonetarySummation", "LineTotalAmount") == ["6.48", "2.16", "1.36"]
    assert sums(xml) == ["10.00", "0.00", "0.00", "11.38", "11.38"]


def test_an_allowance_that_is_taken_back_lowers_the_credit_as_a_discount() -> None:
    invoice = CASES["one rate"]
    _, note = noted(invoice, asked(invoice, allowance=20_00), asked(invoice, "1"))

    # 100.00 - 20.00 = 80.00, × 0.19 = 15.20
    assert note.parts.allowance == Money(-20_00, "EUR")
    assert sums(faultless(invoice, note)) == ["100.00", "0.00", "20.00", "95.20", "95.20"]


@pytest.mark.parametrize("name", ["one rate", "mixed rates"])
def test_a_discount_that_is_taken_back_stands_by_itself_on_paper_and_lowers_the_credit(name: str) -> None:
    """Of 100.00, also where what is kept is of other rates: the goods that come back bear it."""
    invoice = CASES[name]
    [note] = noted(invoice, replace(asked(invoice, "1"), claw_back=Money(1_50, "EUR")))

    [page] = read(rendering.pdf(credit_content(note, invoice, NORDPUMPE)))

    assert (note.parts.claw_back, note.parts.allowance) == (Money(1_50, "EUR"), Money(-1_50, "EUR"))
    assert "Discount taken back −1.50" in page
    assert "Price allowance" not in page
    assert "1.50 EUR of the discount are taken back: what you keep is below its minimum." in page
    lines, charges, allowances, *_ = sums(faultless(invoice, note))
    assert (lines, charges) == ("100.00", "0.00")
    assert Decimal(allowances) == (note.parts.discount + note.parts.claw_back).amount


def test_freight_alone_is_a_line_of_each_rate() -> None:
    invoice = CASES["mixed rates"]
    [alone] = noted(invoice, asked(invoice, freight=12_67))
    [with_goods] = noted(invoice, asked(invoice, "1", freight=12_67))

    xml = faultless(invoice, alone)

    # 19.86 × 9.50 / 104.50 = 1.81; 2.44 × 3.17 / 34.83 = 0.22
    assert said(xml, "SpecifiedTradeProduct", "Name") == ["Freight"] * 2
    assert sums(xml) == ["12.67", "0.00", "0.00", "14.70", "14.70"]
    assert sums(faultless(invoice, with_goods))[:2] == ["100.00", "12.67"]


def test_parts_of_one_rate_are_one_row() -> None:
    invoice = CASES["rounded by line"]
    [note] = noted(invoice, asked(invoice, is_all=True))
    [given] = noted(invoice, asked(invoice, allowance=50))

    assert said(faultless(invoice, note), *TAXED, "BasisAmount") == ["0.99"]
    assert said(faultless(invoice, given), *TAXED, "BasisAmount") == ["0.50"]
    assert said(faultless(invoice, given), "SpecifiedTradeProduct", "Name") == ["Price allowance"]


def test_a_line_that_cost_nothing_keeps_its_rate() -> None:
    invoice = invoice_of(part(S19, 100_00), part(S7, 0))
    free = replace(invoice.lines[0], line_id="2", sku="SKU-2", extended=Money(0, "EUR"), tax_key=S7.key)
    invoice = replace(invoice, lines=(*invoice.lines, free))
    [note] = noted(invoice, asked(invoice, "1", "2"))

    xml = faultless(invoice, note)

    assert said(xml, "SpecifiedLineTradeSettlement", "ApplicableTradeTax", "RateApplicablePercent") == ["19", "7"]
    assert said(xml, *TAXED, "BasisAmount") == ["100.00", "0.00"]


def test_a_credit_note_whose_invoice_lacks_what_the_standard_asks_for_says_so() -> None:
    invoice = replace(CASES["one rate"], header=replace(CASES["one rate"].header, ship_to=Address()))
    [note] = noted(invoice, asked(invoice, "1"))

    with pytest.raises(Refused, match="CN-1001 cannot be an e-invoice: no country of its buyer") as refusal:
        credit_einvoice_of(note, invoice, NORDPUMPE)

    assert refusal.value.reason == "E_INVOICE_NOT_POSSIBLE"


def test_what_nobody_paid_is_in_the_paid_amount_of_the_invoice_and_its_note_says_so() -> None:
    """119.00: 50.00 paid, 2.00 given for paying early, 19.00 credited and 10.00 written off leave 38.00."""
    minors = {"paid": 50_00, "discount_taken": 2_00, "credited_total": 19_00, "given_up": 10_00}
    less = {name: Money(minor, "EUR") for name, minor in minors.items()}
    invoice = replace(CASES["one rate"], **less)  # type: ignore[arg-type]  # members of an invoice

    xml = cii(einvoice_of(invoice, NORDPUMPE))

    assert faults_of(xml) == []
    amounts = [said(xml, name) for name in ("GrandTotalAmount", "TotalPrepaidAmount", "DuePayableAmount")]
    assert amounts == [["119.00"], ["81.00"], ["38.00"]]
    assert said(xml, "IncludedNote", "Content") == [
        "In the paid amount: 2.00 EUR early payment discount, 19.00 EUR credited, 10.00 EUR written off."
    ]
    assert said(cii(einvoice_of(CASES["part paid"], NORDPUMPE)), "IncludedNote", "Content") == []


@pytest.mark.on_postgres
def test_a_credit_note_is_rendered_with_its_einvoice_in_it_to_whom_it_is_of(desk: Desk) -> None:
    desk.billing.seller = SELLER
    invoice = billed(desk, sold(discount=5_000, freight=2_500, tax_rate="0.0825"))
    note = desk.credit(invoice.number, {"1": 1}, freight=1_000, allowance=700).credit_note

    made = [
        desk.billing.RenderCreditNote(pb.RenderCreditNoteRequest(credit_note=named, customer_id="cus_acme"), CONTEXT)
        for named in (note.number, note.credit_note_id, "cn-1001")
    ]
    xml = desk.billing.RenderECreditNote(pb.RenderECreditNoteRequest(credit_note=note.number), CONTEXT)

    assert {(one.number, one.pdf) for one in made} == {("CN-1001", made[0].pdf)}
    assert xml.number == "CN-1001"
    assert faults_of(xml.xml) == []
    assert said(xml.xml, "GrandTotalAmount") == [f"{note.total.minor_units / 100:.2f}"]
    assert PdfReader(io.BytesIO(made[0].pdf)).attachments == {"factur-x.xml": [xml.xml]}
    [page] = read(made[0].pdf)
    assert "Bill to Acme Corp Customer cus_acme" in page
    assert "Of invoice INV-000001" in page


def test_another_customers_credit_note_is_not_rendered(desk: Desk) -> None:
    note = desk.credit(billed(desk, sold()).number, everything=True).credit_note

    for number, customer_id in ((note.number, "cus_rival"), ("CN-1002", "")):
        request = pb.RenderCreditNoteRequest(credit_note=number, customer_id=customer_id)
        with pytest.raises(NotFound) as refusal:
            desk.billing.RenderCreditNote(request, CONTEXT)
        assert refusal.value.reason == "CREDIT_NOTE_NOT_FOUND"


def test_a_setting_that_is_missing_refuses_the_einvoice_and_not_the_pdf(desk: Desk) -> None:
    desk.billing.seller = replace(SELLER, tax_id="")
    note = desk.credit(billed(desk, sold()).number, everything=True).credit_note

    pdf = desk.billing.RenderCreditNote(pb.RenderCreditNoteRequest(credit_note=note.number), CONTEXT).pdf
    with pytest.raises(Refused) as refusal:
        desk.billing.RenderECreditNote(pb.RenderECreditNoteRequest(credit_note=note.number), CONTEXT)

    assert PdfReader(io.BytesIO(pdf)).attachments == {}
    assert refusal.value.reason == "E_INVOICE_NOT_CONFIGURED"
