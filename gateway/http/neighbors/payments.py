"""Payments: cash in, what it pays and whom it is held for; and who owes what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.invoices import customer_within
from gateway.http.neighbors.reuse import noting_reuse
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Day, Identity, Input, MoneyInput, Reference, Switch, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OfCustomer
from gateway.http.plumbing.shapes import MoneyShape, instant, proto_money
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money
from services.kernel.text import fold_key
from services.orders.domain.access import EVERYTHING
from services.orders.domain.exceptions import BANK_REFERENCE_REUSED
from services.orders.masterdata import customers
from services.orders.order import payment_uses

router = APIRouter(tags=["payments"])


class PaymentApplicationInput(Input):
    """Part of a payment for one invoice."""

    invoice_id: Identity = Field(
        description="Its id or its number. One of several orders pays what is due first, and of that the oldest order; a share's id pays that."
    )
    amount: MoneyInput


class PaymentOrderInput(Input):
    """Part of a payment for one order."""

    order_id: Identity = Field(description="The order's id or number.")
    amount: MoneyInput


class PaymentUse(Input):
    """What a payment is for. What it names nothing for pays what is open, oldest due first, unless it is on account."""

    applications: Annotated[list[PaymentApplicationInput], Field(max_length=500)] = []
    orders: Annotated[list[PaymentOrderInput], Field(max_length=500)] = Field(
        default=[],
        description="It pays the invoices of each order; what exceeds them is held for the order until it is invoiced.",
    )
    on_account: Switch = Field(
        default=False, description="What invoices and orders leave waits until somebody applies it."
    )


class PaymentInput(PaymentUse):
    """Cash that arrived. It pays the invoices and orders that it names; the rest pays what is open, oldest due first."""

    customer_id: Identity
    amount: MoneyInput
    reference: Reference = Field(description="The bank's reference; the same one of a customer is one payment.")
    received_on: Day | None = Field(
        default=None,
        description="The day the cash came, today without one and at the latest: discounts for paying early go by it.",
        examples=["2026-12-01"],
    )

    model_config = example(
        customer_id="cus_acme", amount={"amount": "1329.00", "currency": "USD"}, reference="WIRE-2026-12-0117"
    )


class PaymentApplication(BaseModel):
    """What a payment paid of one invoice."""

    invoice_id: str
    amount: MoneyShape


class Deposit(BaseModel):
    """Cash held for one order."""

    order_id: str
    amount: MoneyShape = Field(description="What was given.")
    remaining: MoneyShape = Field(description="What is not deducted from an invoice yet.")


class Payment(BaseModel):
    """A payment and what it paid."""

    payment_id: str
    customer_id: str
    amount: MoneyShape
    reference: str
    applications: list[PaymentApplication]
    deposits: list[Deposit] = Field(description="What is held for orders.")
    unapplied: MoneyShape = Field(
        description="What exceeds all that is open; it pays the next invoice unless it is on account."
    )
    on_account: bool = Field(description="What is unapplied waits until somebody applies it.")
    returned: MoneyShape = Field(description="What went back to the payer: refunds, or all of it once it is reversed.")
    by_card: bool = Field(description="It was captured from a card: it is refunded there and cannot be reversed.")
    received_at: str | None = Field(description="When it was recorded.")
    received_on: str = Field(description="The day its cash came.")
    reversed_at: str | None = Field(description="When it was reversed; null when it was not.")


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
    """Record cash: it pays the invoices and orders it names first, then what is open, oldest due first; the rest waits.

    An invoice that it settles less the discount for paying early, received in time, takes the discount.
    """

    def act(request_id: str) -> Payment:
        return payment_shape(record(deps, body, request_id))

    return once.answer(body, act, 201)


def record(deps: Deps, body: PaymentInput, request_id: str) -> pb.Payment:
    """Record cash, once a request id; a bank reference that comes back with another amount or day is an exception, too."""
    wanted = receipt_of(deps, body, request_id)
    key = f"{body.customer_id}/{fold_key(body.reference)}"
    with noting_reuse(deps, BANK_REFERENCE_REUSED, key, body, body.customer_id):
        return deps.billing.RecordPayment(wanted).payment


def receipt_of(deps: Deps, body: PaymentInput, request_id: str) -> pb.RecordPaymentRequest:
    """What billing is asked; NotFound and Refused for a customer or order that the payment cannot be of."""
    with deps.database.reading() as session:
        customers.get_customer(session, body.customer_id, EVERYTHING)
        orders = payment_uses.orders_of(session, body.customer_id, named_orders(body))
    return pb.RecordPaymentRequest(
        request_id=request_id,
        customer_id=body.customer_id,
        amount=proto_money(money_of(body.amount)),
        reference=body.reference,
        applications=applications_of(body),
        orders=order_parts(body, orders),
        is_on_account=body.on_account,
        received_on=body.received_on.isoformat() if body.received_on else "",
    )


@router.get("/v1/payments")
def list_payments(deps: DepsOf, who: CallerOf, paging: PagingOf, customer_id: OfCustomer = None) -> Page[Payment]:
    """Payments, oldest first."""
    found = deps.billing.ListPayments(
        pb.ListPaymentsRequest(
            customer_id=customer_within(who, customer_id), limit=paging.limit, cursor=paging.after("payments")
        )
    )
    return Page(
        rows=[payment_shape(row) for row in found.payments], next_cursor=sealed("payments", found.next_cursor) or None
    )


@router.get("/v1/receivables")
def list_receivables(deps: DepsOf, who: CallerOf, customer_id: OfCustomer = None) -> Page[Receivable]:
    """What every customer owes, by age."""
    found = deps.billing.ListReceivables(pb.ListReceivablesRequest(customer_id=customer_within(who, customer_id)))
    return Page(rows=[_receivable(row) for row in found.receivables], next_cursor=None)


def money_of(amount: MoneyInput) -> Money:
    """The amount of a body."""
    return Money.parse(amount.amount, amount.currency)


def named_orders(body: PaymentUse) -> dict[str, str]:
    """Order as the body names it → the currency of its part."""
    return {part.order_id: part.amount.currency for part in body.orders}


def applications_of(body: PaymentUse) -> list[pb.PaymentApplication]:
    """The invoices that a body names."""
    return [
        pb.PaymentApplication(invoice_id=part.invoice_id, amount=proto_money(money_of(part.amount)))
        for part in body.applications
    ]


def order_parts(body: PaymentUse, orders: Mapping[str, str]) -> list[pb.OrderPart]:
    """The orders that a body names; `orders` is the name given → order id."""
    return [
        pb.OrderPart(order_id=orders[part.order_id], amount=proto_money(money_of(part.amount))) for part in body.orders
    ]


def payment_shape(row: pb.Payment) -> Payment:
    """A payment as the API gives it."""
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
        deposits=[
            Deposit(
                order_id=part.order_id,
                amount=money(part.amount.minor_units),
                remaining=money(part.remaining.minor_units),
            )
            for part in row.deposits
        ],
        unapplied=money(row.unapplied.minor_units),
        on_account=row.is_on_account,
        returned=money(row.returned.minor_units),
        by_card=row.is_by_card,
        received_at=instant(row.received_at_micros),
        received_on=row.received_on,
        reversed_at=instant(row.reversed_at_micros),
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
