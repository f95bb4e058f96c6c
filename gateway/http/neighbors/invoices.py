"""Invoices: what was billed for each shipment, and what is still open."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.files import DEADLINE_S, PdfResponse, XmlResponse, as_file, described
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfCustomer, OfNumber, OfOrder, path_id
from gateway.http.plumbing.shapes import MoneyShape, TaxShape
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import NotFound
from services.kernel.money import Money
from services.orders.access.matrix import Caller
from services.runtime.wire import read_tax_part

router = APIRouter(tags=["invoices"])

NO_EINVOICE = (
    "`E_INVOICE_NOT_CONFIGURED`: a setting of the company is missing, which the message names. `E_INVOICE_NOT_POSSIBLE`: the document "
    "lacks what EN 16931 asks for, such as its buyer's country, or its currency has more than two decimals."
)
Status = Literal["open", "part_paid", "paid", "credited", "written_off"]


class InvoiceLine(BaseModel):
    """Units of an order line on an invoice or a credit note."""

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: str
    extended: MoneyShape
    order_number: str = Field(default="", description="Of its order, on an invoice of several orders; else empty.")


class InvoiceShare(BaseModel):
    """What one order has of an invoice of several orders: by its id it is read, credited and written off as an invoice of that order."""

    invoice_id: str
    order_id: str
    order_number: str
    po_number: str
    total: MoneyShape
    open: MoneyShape


class Installment(BaseModel):
    """A part of an invoice that is due on one day."""

    due_on: str | None = Field(description="Null while it waits for its goods to be delivered.")
    amount: MoneyShape
    open: MoneyShape = Field(
        description="Still to be paid of it: what is paid, credited or written off counts towards the earliest."
    )


class EarlyDiscount(BaseModel):
    """A discount for paying early that can still be had."""

    amount: MoneyShape
    until: str = Field(description="The last day on which the payment may be received.")
    pays: MoneyShape = Field(description="What settles the invoice until then.")


class DepositDeduction(BaseModel):
    """What an invoice deducts of a deposit invoice."""

    deposit_invoice_id: str
    deposit_invoice_number: str
    invoice_id: str
    invoice_number: str
    amount: MoneyShape = Field(description="Tax included; it counts as paid.")
    tax: MoneyShape = Field(description="Charged by the deposit invoice, and not once more by the invoice.")


class Invoice(BaseModel):
    """A posted invoice; only what is paid, credited or written off of it changes, and its due date when it waits for its delivery."""

    invoice_id: str
    number: str
    order_id: str = Field(description="Empty on an invoice of several orders, which names them in its shares.")
    order_number: str
    consolidated_invoice_id: str = Field(
        default="",
        description="Of the invoice of several orders that this is one order's share of, under the same number; else empty.",
    )
    shares: list[InvoiceShare] = Field(
        default=[], description="Of an invoice of several orders, the oldest order first; else empty."
    )
    customer_id: str
    shipment_id: str = Field(
        description="The shipment it bills, the first of several; empty where it was made at order, or charges a fee."
    )
    shipment_ids: list[str] = Field(description="All that it bills.")
    fee_id: str = Field(
        description="The cancellation whose fee it charges, which is none of what the order comes to; else empty."
    )
    invoiced_on: str
    due_on: str | None = Field(
        description="When the first of what is open is due; null while it waits for its goods to be delivered."
    )
    terms: str = Field(
        description="Payment terms it was issued under; empty when it was due at once, or issued before they were kept."
    )
    installments: list[Installment] = Field(description="What is due when; one, unless the terms are installments.")
    early_discount: EarlyDiscount | None = Field(
        description="The discount for paying early; null when there is none, it was taken, or a payment came too late."
    )
    lines: list[InvoiceLine]
    merchandise: MoneyShape
    discount: MoneyShape = Field(description="Its share of the order's discount.")
    freight: MoneyShape
    tax: MoneyShape
    taxes: list[TaxShape] = Field(description="How it is taxed; empty for one issued before that was kept.")
    total: MoneyShape = Field(description="merchandise - discount + freight + tax.")
    paid: MoneyShape
    deposits: list[DepositDeduction] = Field(description="Deposit invoices that it deducts; they are in paid.")
    settled_elsewhere: MoneyShape = Field(
        description="Paid by its buyer to a marketplace or a till: all of it or nothing."
    )
    discount_taken: MoneyShape = Field(description="For paying early.")
    credited: MoneyShape = Field(description="What its credit notes come to.")
    written_off: MoneyShape = Field(description="Given up: nobody will pay it.")
    open: MoneyShape = Field(
        description="Still to be paid: total - paid - discount_taken - credited - written_off - settled_elsewhere."
    )
    status: str = Field(
        description="open or part_paid while something is open; then written_off where any of it was, credited where all of it was, else paid."
    )


@router.get("/v1/invoices")
def list_invoices(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    customer_id: OfCustomer = None,
    number: OfNumber = None,
    status: Annotated[Status | None, Query(description="Only with this status.")] = None,
) -> Page[Invoice]:
    """Invoices by number; a customer sees its own. One of several orders is one row; with `order_id` it is that order's share."""
    found = deps.billing.ListInvoices(
        pb.ListInvoicesRequest(
            order_id=order_id or "",
            customer_id=customer_within(who, customer_id),
            number=number or "",
            status=status or "",
            limit=paging.limit,
            cursor=paging.cursor,
        )
    )
    return Page(rows=[invoice_shape(row) for row in found.invoices], next_cursor=found.next_cursor or None)


# before the invoice itself, whose path would take it for an id
@router.get("/v1/invoices/{invoice}.pdf", response_class=PdfResponse, responses=described(PdfResponse))
def get_invoice_document(
    deps: DepsOf, who: CallerOf, invoice: Annotated[str, path_id("The invoice's id or its number.", "INV-000001")]
) -> Response:
    """One invoice as a PDF: what was posted, and what is paid and open now."""
    return invoice_document(deps, invoice, who.company)


@router.get("/v1/invoices/{invoice}.xml", response_class=XmlResponse, responses=described(XmlResponse, NO_EINVOICE))
def get_einvoice(
    deps: DepsOf, who: CallerOf, invoice: Annotated[str, path_id("The invoice's id or its number.", "INV-000001")]
) -> Response:
    """One invoice as an e-invoice by EN 16931: Cross Industry Invoice XML, as it is in its PDF too."""
    wanted = pb.RenderEInvoiceRequest(invoice=invoice, customer_id=who.company or "")
    made = deps.billing.RenderEInvoice(wanted)
    return as_file(XmlResponse, made.xml, f"{made.number}.xml")


@router.get("/v1/invoices/{invoice_id}")
def get_invoice(deps: DepsOf, who: CallerOf, invoice_id: Annotated[str, path_id("The invoice's id.")]) -> Invoice:
    """One invoice, of one or several orders, or one order's share."""
    found = deps.billing.GetInvoice(pb.GetInvoiceRequest(invoice_id=invoice_id)).invoice
    if who.company is not None and found.customer_id != who.company:
        raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice: look it up in the list")
    return invoice_shape(found)


def invoice_document(deps: Deps, invoice: str, company: str | None) -> Response:
    """The PDF of an invoice, by id or number, as a file of its number; NotFound for one that is not the company's, where one is named."""
    wanted = pb.RenderInvoiceRequest(invoice=invoice, customer_id=company or "")
    rendered = deps.billing.RenderInvoice(wanted, timeout=DEADLINE_S)
    return as_file(PdfResponse, rendered.pdf, f"{rendered.number}.pdf")


def customer_within(who: Caller, customer_id: str | None) -> str:
    """The customer to filter by: a caller that sees one company filters by it and never by another."""
    company = who.company
    if company is None:
        return customer_id or ""
    if customer_id is not None and customer_id != company:
        raise NotFound("CUSTOMER_NOT_FOUND", "there is no such customer account: leave the filter out")
    return company


def deposit_deduction(row: pb.DepositDeduction) -> DepositDeduction:
    """What an invoice deducts of a deposit invoice as the API shows it."""
    return DepositDeduction(
        deposit_invoice_id=row.deposit_invoice_id,
        deposit_invoice_number=row.deposit_invoice_number,
        invoice_id=row.invoice_id,
        invoice_number=row.invoice_number,
        amount=MoneyShape.of_minor(row.amount.minor_units, row.amount.currency),
        tax=MoneyShape.of_minor(row.tax.minor_units, row.tax.currency),
    )


def invoice_line(line: pb.InvoiceLine) -> InvoiceLine:
    """A line of an invoice or a credit note as the API shows it."""
    return InvoiceLine(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        extended=MoneyShape.of_minor(line.extended.minor_units, line.extended.currency),
        order_number=line.order_number,
    )


def _share(row: pb.InvoiceShare) -> InvoiceShare:
    return InvoiceShare(
        invoice_id=row.invoice_id,
        order_id=row.order_id,
        order_number=row.order_number,
        po_number=row.po_number,
        total=MoneyShape.of_minor(row.total.minor_units, row.total.currency),
        open=MoneyShape.of_minor(row.open.minor_units, row.total.currency),
    )


def invoice_shape(row: pb.Invoice) -> Invoice:
    """An invoice as the API shows it."""

    def money(amount_minor: int) -> MoneyShape:
        return MoneyShape.of(Money(amount_minor, row.total.currency))

    return Invoice(
        invoice_id=row.invoice_id,
        number=row.number,
        order_id=row.order_id,
        order_number=row.order_number,
        consolidated_invoice_id=row.consolidated_invoice_id,
        shares=[_share(one) for one in row.shares],
        customer_id=row.customer_id,
        shipment_id=row.shipment_id,
        shipment_ids=list(row.shipment_ids),
        fee_id=row.fee_id,
        invoiced_on=row.invoiced_on,
        due_on=row.due_on or None,
        terms=row.terms,
        installments=[
            Installment(
                due_on=one.due_on or None,
                amount=money(one.amount.minor_units),
                open=money(one.open.minor_units),
            )
            for one in row.installments
        ],
        early_discount=EarlyDiscount(
            amount=money(row.early_discount.amount.minor_units),
            until=row.early_discount.until,
            pays=money(row.early_discount.pays.minor_units),
        )
        if row.HasField("early_discount")
        else None,
        lines=[invoice_line(line) for line in row.lines],
        merchandise=money(row.merchandise.minor_units),
        discount=money(row.discount.minor_units),
        freight=money(row.freight.minor_units),
        tax=money(row.tax.minor_units),
        taxes=TaxShape.rows(read_tax_part(part, row.total.currency) for part in row.tax_parts),
        total=money(row.total.minor_units),
        paid=money(row.paid.minor_units),
        deposits=[deposit_deduction(one) for one in row.deposits],
        settled_elsewhere=money(row.settled_elsewhere.minor_units),
        discount_taken=money(row.discount_taken.minor_units),
        credited=money(row.credited.minor_units),
        written_off=money(row.written_off.minor_units),
        open=money(row.open.minor_units),
        status=row.status,
    )
