"""The one invoice of several orders as its customer gets it: a PDF with a group for each order, and an e-invoice that others judge."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing.domain.consolidated import whole
from services.kernel.clock import micros
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.test_consolidated import left
from tests.billing.test_einvoices import NORDPUMPE, S7, S19, invoice_of, part, said
from tests.einvoices import faults_of

PO = {1: "PO-7781", 2: "PO-7790", 3: ""}


def order(number: int, *, city: str = "Hamburg") -> orders_pb2.Order:
    """An order of a customer in Germany, taxed at 19 %."""
    lines = {"1": (number, "10.00"), "2": (1, "33.33")}
    made = order_of(
        lines, order_id=f"ord_{number}", invoicing="weekly", tax_rate="0.19", freight=500 * number, discount=77
    )
    made.number, made.po_number, made.customer_name = f"SO-100{number}", PO[number], "Pumpen GmbH"
    made.placed_at_micros = micros(datetime(2026, 2, 20 + number, 12, tzinfo=UTC))
    for place in (made.ship_to, made.billing_address):
        place.name, place.street, place.city, place.postal_code, place.country = (
            "Pumpen GmbH", "Am Kai 1", "Hamburg", "20457", "DE",
        )  # fmt: skip
    made.ship_to.city = city
    return made


@pytest.fixture
def one(desk: Desk) -> pb.Invoice:
    """One invoice of three orders with two PO numbers."""
    left(desk, order(1), order(2, city="Bremen"), order(3))
    desk.run_policies()
    desk.billing.seller = NORDPUMPE
    (made,) = desk.listed()
    return made


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def pdf_of(desk: Desk, invoice: str, customer_id: str = "") -> bytes:
    asked = pb.RenderInvoiceRequest(invoice=invoice, customer_id=customer_id)
    return desk.billing.RenderInvoice(asked, CONTEXT).pdf


def xml_of(desk: Desk, invoice: str) -> bytes:
    return desk.billing.RenderEInvoice(pb.RenderEInvoiceRequest(invoice=invoice), CONTEXT).xml


def test_the_pdf_names_each_order_with_its_own_po_number_and_comes_to_one_total(desk: Desk, one: pb.Invoice) -> None:
    read = words(pdf_of(desk, one.number))

    assert "Invoice INV-000001" in read
    assert "Early payment discount" not in read
    for text in (
        "Order SO-1001 of Feb 21, 2026 · your PO PO-7781", "Order SO-1002 of Feb 22, 2026 · your PO PO-7790 · shipped to", "Bremen",
        "Order SO-1003 of Feb 23, 2026", "Orders 3, each under its number", "naming invoice INV-000001",
    ):  # fmt: skip
        assert text in read
    # goods 3 × 33.33 + 10 + 20 + 30 less 2.31 off, tax at 19 % by order, and freight 30.00 untaxed
    assert (
        one.total.minor_units == 9999 + 6000 - 231 + sum(round((3333 + 1000 * n - 77) * 0.19) for n in (1, 2, 3)) + 3000
    )
    assert f"Amount due USD {one.total.minor_units / 100:.2f}" in read


def test_a_share_is_on_the_paper_of_its_invoice(desk: Desk, one: pb.Invoice) -> None:
    assert pdf_of(desk, one.shares[1].invoice_id) == pdf_of(desk, one.number) == pdf_of(desk, one.invoice_id)


def test_the_einvoice_names_orders_on_its_lines_and_none_itself(desk: Desk, one: pb.Invoice) -> None:
    xml = xml_of(desk, one.number)

    assert faults_of(xml) == []
    notes = said(xml, "AssociatedDocumentLineDocument", "IncludedNote", "Content")
    assert (
        notes == ["Order SO-1001. Your PO PO-7781"] * 2 + ["Order SO-1002. Your PO PO-7790"] * 2 + ["Order SO-1003"] * 2
    )
    assert said(xml, "BuyerOrderReferencedDocument", "IssuerAssignedID") == []
    assert said(xml, "SellerOrderReferencedDocument", "IssuerAssignedID") == []
    assert said(xml, "GrandTotalAmount") == [f"{one.total.minor_units / 100:.2f}"]


def test_the_einvoice_of_a_credit_note_names_the_one_invoice(desk: Desk, one: pb.Invoice) -> None:
    note = desk.credit(one.shares[1].invoice_id, {"1": 1}).credit_note

    made = desk.billing.RenderECreditNote(pb.RenderECreditNoteRequest(credit_note=note.number), CONTEXT).xml

    assert faults_of(made) == []
    assert said(made, "InvoiceReferencedDocument", "IssuerAssignedID") == ["INV-000001"]
    assert said(made, "BuyerOrderReferencedDocument", "IssuerAssignedID") == ["PO-7790"]
    assert faults_of(xml_of(desk, one.number)) == []


def test_paid_in_part_it_is_an_einvoice_still(desk: Desk, one: pb.Invoice) -> None:
    desk.pay(5000, "BANK-1", to={one.invoice_id: 5000})

    xml = xml_of(desk, one.number)

    assert faults_of(xml) == []
    assert said(xml, "TotalPrepaidAmount") == ["50.00"]


def test_another_customer_gets_none_of_it(desk: Desk, one: pb.Invoice) -> None:
    assert pdf_of(desk, one.number, "cus_acme")
    with pytest.raises(Exception, match="no such invoice"):
        pdf_of(desk, one.number, "cus_bolt")


def test_orders_that_call_their_rates_alike_keep_them_apart() -> None:
    shares = [
        invoice_of(part(kind, 10_000, key="goods"), number="INV-000001", share=number, consolidated_id="inv_9",
                   order_id=f"ord_{number}", order_number=f"SO-{number}")
        for number, kind in enumerate((S19, S7, S19), 1)
    ]  # fmt: skip

    together = whole(shares)

    assert [(each.key, each.merchandise.minor, each.tax.minor) for each in together.parts] == [
        ("goods", 20_000, 3_800), ("goods 2", 10_000, 700),
    ]  # fmt: skip
    assert [line.tax_key for line in together.lines] == ["goods", "goods 2", "goods"]
    assert together.header.tax_on == date(2026, 3, 2)
