"""Deposit invoices: cash that came for orders with a deposit, invoiced with its tax, and credit notes where it went elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.invoices import NO_EINVOICE, DepositDeduction, customer_within, deposit_deduction
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.files import DEADLINE_S, PdfResponse, XmlResponse, as_file, described
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfCustomer, OfOrder, path_id
from gateway.http.plumbing.shapes import MoneyShape, TaxShape, instant
from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.runtime.wire import read_tax_part

router = APIRouter(tags=["deposit invoices"])

DepositReference = Annotated[str, path_id("Its id or its number.", "DI-1001")]


class DepositInvoice(BaseModel):
    """A posted deposit invoice, or a credit note of one; only what is deducted and credited of it changes."""

    deposit_invoice_id: str
    number: str = Field(
        description="DI-… for a deposit invoice, DC-… for a credit note: two series, each without gaps."
    )
    is_credit_note: bool
    corrects: str | None = Field(description="The deposit invoice that a credit note takes back.")
    reason: str | None = Field(description="Why it takes it back.")
    order_id: str
    order_number: str
    customer_id: str
    invoiced_on: str
    received_on: str = Field(description="When the last of its cash came.")
    net: MoneyShape
    tax: MoneyShape = Field(description="The tax that is in the cash, in the shares of the order's taxes.")
    taxes: list[TaxShape]
    total: MoneyShape = Field(description="The cash: net + tax.")
    deducted: MoneyShape = Field(description="What invoices of the order have deducted.")
    credited: MoneyShape = Field(description="What credit notes have taken back.")
    open: MoneyShape = Field(description="Still to be deducted: total - deducted - credited; zero for a credit note.")
    deductions: list[DepositDeduction] = Field(description="The invoices that deduct it.")
    issued_at: str | None


@router.get("/v1/deposit-invoices")
def list_deposit_invoices(
    deps: DepsOf, who: CallerOf, paging: PagingOf, order_id: OfOrder = None, customer_id: OfCustomer = None
) -> Page[DepositInvoice]:
    """Deposit invoices and credit notes of them, oldest first; a customer sees its own."""
    found = deps.billing.ListDepositInvoices(
        pb.ListDepositInvoicesRequest(
            order_id=order_id or "",
            customer_id=customer_within(who, customer_id),
            limit=paging.limit,
            cursor=paging.cursor,
        )
    )
    rows = [deposit_invoice_shape(row) for row in found.deposit_invoices]
    return Page(rows=rows, next_cursor=found.next_cursor or None)


# before the deposit invoice itself, whose path would take it for an id
@router.get("/v1/deposit-invoices/{deposit}.pdf", response_class=PdfResponse, responses=described(PdfResponse))
def get_deposit_invoice_document(deps: DepsOf, who: CallerOf, deposit: DepositReference) -> Response:
    """One deposit invoice, or credit note of one, as a PDF."""
    return deposit_invoice_document(deps, deposit, who.company)


@router.get(
    "/v1/deposit-invoices/{deposit}.xml", response_class=XmlResponse, responses=described(XmlResponse, NO_EINVOICE)
)
def get_deposit_einvoice(deps: DepsOf, who: CallerOf, deposit: DepositReference) -> Response:
    """One deposit invoice as an e-invoice of type 386 by EN 16931, or a credit note of one of type 381: Cross Industry Invoice XML, as it is in its PDF too."""
    wanted = pb.RenderEDepositInvoiceRequest(deposit_invoice=deposit, customer_id=who.company or "")
    made = deps.billing.RenderEDepositInvoice(wanted)
    return as_file(XmlResponse, made.xml, f"{made.number}.xml")


@router.get("/v1/deposit-invoices/{deposit}")
def get_deposit_invoice(deps: DepsOf, who: CallerOf, deposit: DepositReference) -> DepositInvoice:
    """One deposit invoice, or credit note of one."""
    wanted = pb.GetDepositInvoiceRequest(deposit_invoice=deposit, customer_id=who.company or "")
    return deposit_invoice_shape(deps.billing.GetDepositInvoice(wanted).deposit_invoice)


def deposit_invoice_document(deps: Deps, deposit: str, company: str | None) -> Response:
    """The PDF of a deposit invoice, by id or number, as a file of its number; NotFound for one that is not the company's, where one is named."""
    wanted = pb.RenderDepositInvoiceRequest(deposit_invoice=deposit, customer_id=company or "")
    rendered = deps.billing.RenderDepositInvoice(wanted, timeout=DEADLINE_S)
    return as_file(PdfResponse, rendered.pdf, f"{rendered.number}.pdf")


def deposit_invoice_shape(row: pb.DepositInvoice) -> DepositInvoice:
    """A deposit invoice as the API shows it."""
    texts = ("deposit_invoice_id", "number", "order_id", "order_number", "customer_id", "invoiced_on", "received_on")
    amounts = ("net", "tax", "total", "deducted", "credited", "open")
    return DepositInvoice.model_validate(
        {
            **{name: getattr(row, name) for name in texts},
            **{name: _money(getattr(row, name)) for name in amounts},
            "is_credit_note": row.is_credit_note,
            "corrects": row.corrects or None,
            "reason": row.reason or None,
            "taxes": TaxShape.rows(read_tax_part(part, row.total.currency) for part in row.tax_parts),
            "deductions": [deposit_deduction(one) for one in row.deductions],
            "issued_at": instant(row.issued_at_micros),
        }
    )


def _money(amount: types_pb2.Money) -> MoneyShape:
    return MoneyShape.of_minor(amount.minor_units, amount.currency)
