"""Payments: cash in, applied to invoices; and who owes what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.invoices import customer_within
from gateway.http.neighbors.reuse import noting_reuse
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, MoneyInput, Reference, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OfCustomer
from gateway.http.plumbing.shapes import MoneyShape, instant, proto_money
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money
from services.kernel.text import fold_key
from services.orders.domain.access import EVERYTHING
from services.orders.domain.exceptions import BANK_REFERENCE_REUSED
from services.orders.masterdata import customers

router = APIRouter(tags=["payments"])


class PaymentApplicationInput(Input):
    """Part of a payment for one invoice."""

    invoice_id: Identity
    amount: MoneyInput


class PaymentInput(Input):
    """Cash that arrived. It pays the applications first, what they leave (or all) pays what is open, oldest due first."""

    customer_id: Identity
    amount: MoneyInput
    reference: Reference = Field(description="The bank's reference; the same one of a customer is one payment.")
    applications: Annotated[list[PaymentApplicationInput], Field(max_length=500)] = []

    model_config = example(
        customer_id="cus_acme", amount={"amount": "1329.00", "currency": "USD"}, reference="WIRE-2026-12-0117"
    )


class PaymentApplication(BaseModel):
    """What a payment paid of one invoice."""

    invoice_id: str
    amount: MoneyShape


class Payment(BaseModel):
    """A payment and what it paid."""

    payment_id: str
    customer_id: str
    amount: MoneyShape
    reference: str
    applications: list[PaymentApplication]
    unapplied: MoneyShape = Field(description="What exceeds all that is open; it pays the next invoice.")
    received_at: str | None


class Receivable(BaseModel):
    """What a customer owes, by age past the due date."""

    customer_id: str
    current: MoneyShape = Field(description="Not yet due.")
    days_30: MoneyShape = Field(description="1 to 30 days over.")
    days_60: MoneyShape = Field(description="31 to 60 days over.")
    older: MoneyShape = Field(description="More than 60 days over.")
    unapplied: MoneyShape = Field(description="Cash not applied to an invoice.")


@router.post("/v1/payments", status_code=201, response_model=Payment)
def record_payment(deps: DepsOf, body: PaymentInput, once: OnceWithKey) -> Response:
    """Record cash: it pays the invoices it names first, then what is open, oldest due first; the rest waits for the next."""

    def act(request_id: str) -> Payment:
        with deps.database.reading() as session:
            customers.get_customer(session, body.customer_id, EVERYTHING)
        wanted = pb.RecordPaymentRequest(
            request_id=request_id,
            customer_id=body.customer_id,
            amount=proto_money(_money(body.amount)),
            reference=body.reference,
            applications=[
                pb.PaymentApplication(invoice_id=part.invoice_id, amount=proto_money(_money(part.amount)))
                for part in body.applications
            ],
        )
        key = f"{body.customer_id}/{fold_key(body.reference)}"
        with noting_reuse(deps, BANK_REFERENCE_REUSED, key, body, body.customer_id):
            return _payment(deps.billing.RecordPayment(wanted).payment)

    return once.answer(body, act, 201)


@router.get("/v1/payments")
def list_payments(deps: DepsOf, who: CallerOf, paging: PagingOf, customer_id: OfCustomer = None) -> Page[Payment]:
    """Payments, oldest first."""
    found = deps.billing.ListPayments(
        pb.ListPaymentsRequest(
            customer_id=customer_within(who, customer_id), limit=paging.limit, cursor=paging.after("payments")
        )
    )
    return Page(
        rows=[_payment(row) for row in found.payments], next_cursor=sealed("payments", found.next_cursor) or None
    )


@router.get("/v1/receivables")
def list_receivables(deps: DepsOf, who: CallerOf, customer_id: OfCustomer = None) -> Page[Receivable]:
    """What every customer owes, by age."""
    found = deps.billing.ListReceivables(pb.ListReceivablesRequest(customer_id=customer_within(who, customer_id)))
    return Page(rows=[_receivable(row) for row in found.receivables], next_cursor=None)


def _money(amount: MoneyInput) -> Money:
    return Money.parse(amount.amount, amount.currency)


def _payment(row: pb.Payment) -> Payment:
    currency = row.amount.currency

    def money(minor: int) -> MoneyShape:
        return MoneyShape.of_minor(minor, currency)

    return Payment(
        payment_id=row.payment_id,
        customer_id=row.customer_id,
        amount=money(row.amount.minor_units),
        reference=row.reference,
        applications=[
            PaymentApplication(invoice_id=part.invoice_id, amount=money(part.amount.minor_units))
            for part in row.applications
        ],
        unapplied=money(row.unapplied.minor_units),
        received_at=instant(row.received_at_micros),
    )


def _receivable(row: pb.Receivable) -> Receivable:
    def money(minor: int) -> MoneyShape:
        return MoneyShape.of_minor(minor, row.currency)

    return Receivable(
        customer_id=row.customer_id,
        current=money(row.current_minor),
        days_30=money(row.days_30_minor),
        days_60=money(row.days_60_minor),
        older=money(row.older_minor),
        unapplied=money(row.unapplied_minor),
    )
