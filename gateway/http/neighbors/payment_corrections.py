"""Payments corrected: reversed, put to another use, refunded; and the money of one order."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.invoices import Invoice, invoice_shape
from gateway.http.neighbors.payments import (
    Payment,
    PaymentUse,
    applications_of,
    money_of,
    named_orders,
    order_parts,
    payment_shape,
)
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, MoneyInput, Name, Text, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OrderReference, path_id
from gateway.http.plumbing.shapes import MoneyShape, instant, proto_money
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import NotFound
from services.orders.domain.access import EVERYTHING
from services.orders.masterdata import customers
from services.orders.order import lookup, payment_uses

router = APIRouter(tags=["payments"])

PaymentId = Annotated[str, path_id("The payment.", "pay_0198c7f2")]


class ReversalInput(Input):
    """Why a payment is reversed."""

    reason: Name = Field(description="Such as a check that bounced, or a typing error.")

    model_config = example(reason="check returned unpaid")


class ReapplicationInput(PaymentUse):
    """Another use of a payment, as if it had come so."""

    customer_id: Identity | None = Field(
        default=None, description="Whose payment it is, when it was recorded for somebody else."
    )
    reason: Name

    model_config = example(
        orders=[{"order_id": "SO-1002", "amount": {"amount": "500.00", "currency": "USD"}}],
        reason="was meant for SO-1002",
    )


class RefundInput(Input):
    """Cash that goes back to its payer."""

    amount: MoneyInput
    order_id: Identity | None = Field(
        default=None, description="Out of what is held for this order; without it, out of what is unapplied."
    )
    reason: Name

    model_config = example(amount={"amount": "120.00", "currency": "USD"}, reason="paid twice")


class OrderMoney(BaseModel):
    """An order's money, from what is committed to what is paid."""

    order_id: str
    committed: MoneyShape = Field(description="Counts towards the customer's exposure and is not invoiced yet.")
    held: MoneyShape = Field(description="Cash that came for the order and is not deducted from an invoice yet.")
    invoiced: MoneyShape
    paid: MoneyShape
    discount_taken: MoneyShape = Field(description="Taken off its invoices for paying them early.")
    credited: MoneyShape = Field(description="What credit notes of its invoices come to.")
    written_off: MoneyShape = Field(description="Given up of its invoices.")
    waiting_on: str | None = Field(
        description="What it waits on before its goods leave: credit, rest (credit for the rest of it, what fits ships), overdue, cash or "
        "card; null for none of them."
    )
    waiting_since: str | None
    missing: MoneyShape = Field(description="Cash that must still come for it before its goods leave.")
    authorized: MoneyShape = Field(description="Authorized on its card and not captured yet.")
    captured: MoneyShape = Field(description="Captured from its card.")
    refunded: MoneyShape = Field(description="Given back to its card.")
    card: str | None = Field(
        description="How its card stands: authorized, declined, missing, or asked while the provider has not answered; null without one."
    )
    decline_reason: str | None = Field(description="The provider's word, such as insufficient_funds.")


class PaymentCorrection(BaseModel):
    """A correction of a payment or an invoice that somebody asked for and another person decides."""

    correction_id: str
    payment_id: str | None = Field(description="Null for a correction of an invoice.")
    invoice_id: str | None = Field(description="Null for a correction of a payment.")
    kind: str = Field(
        description="reversal, reapplication or refund of a payment; credit_note or write_off of an invoice."
    )
    amount: MoneyShape = Field(description="The payment, or what is refunded, credited or given up.")
    reason: str
    asked_by: str
    asked_at: str | None
    state: str = Field(description="waiting, approved or declined.")
    decided_by: str | None
    decided_at: str | None
    note: str


class CorrectedPayment(Payment):
    """A payment after its correction, or as it is while that waits for a second person."""

    waiting: PaymentCorrection | None = Field(
        description="Set when the amount is over the limit (OMS_SECOND_PERSON_OVER): somebody else in accounting decides."
    )


class CorrectionDecision(Input):
    """A second person's decision."""

    decision: Literal["approve", "decline"]
    note: Text = Field(default="", description="Why; needed to decline.")

    model_config = example(decision="approve")


class DecidedCorrection(BaseModel):
    """A correction as decided, and the payment or the invoice afterwards."""

    correction: PaymentCorrection
    payment: Payment | None = Field(description="Null for a correction of an invoice.")
    invoice: Invoice | None = Field(description="Null for a correction of a payment.")


@router.get("/v1/payment-corrections")
def list_payment_corrections(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    state: Annotated[
        Literal["waiting", "approved", "declined"] | None, Query(description="Only with this state.")
    ] = None,
) -> Page[PaymentCorrection]:
    """Corrections of payments and invoices that wait for a second person, and those that were decided, oldest first."""
    found = deps.billing.ListPaymentCorrections(
        pb.ListPaymentCorrectionsRequest(
            state=state or "", limit=paging.limit, cursor=paging.after("payment-corrections")
        )
    )
    return Page(
        rows=[correction_shape(row) for row in found.corrections],
        next_cursor=sealed("payment-corrections", found.next_cursor) or None,
    )


@router.post("/v1/payment-corrections/{correction_id}/decision", response_model=DecidedCorrection)
def decide_payment_correction(
    deps: DepsOf,
    who: CallerOf,
    correction_id: Annotated[str, path_id("The correction.", "corr_0198c7f2")],
    body: CorrectionDecision,
    once: OnceWithKey,
) -> Response:
    """Approve or decline what somebody else asked for; approved, it is made now."""

    def act(request_id: str) -> DecidedCorrection:
        wanted = pb.DecidePaymentCorrectionRequest(
            request_id=request_id,
            correction_id=correction_id,
            decided_by=who.principal.sub,
            is_approved=body.decision == "approve",
            note=body.note,
        )
        answer = deps.billing.DecidePaymentCorrection(wanted)
        return DecidedCorrection(
            correction=correction_shape(answer.correction),
            payment=payment_shape(answer.payment) if answer.HasField("payment") else None,
            invoice=invoice_shape(answer.invoice) if answer.HasField("invoice") else None,
        )

    return once.answer(body, act, 200)


def corrected(payment: pb.Payment, waiting: pb.PaymentCorrection) -> CorrectedPayment:
    """The answer to a correction; `waiting` without an id is none."""
    known = correction_shape(waiting) if waiting.correction_id else None
    return CorrectedPayment(**payment_shape(payment).model_dump(), waiting=known)


def correction_shape(row: pb.PaymentCorrection) -> PaymentCorrection:
    """A correction as the API gives it."""
    return PaymentCorrection(
        correction_id=row.correction_id,
        payment_id=row.payment_id or None,
        invoice_id=row.invoice_id or None,
        kind=row.kind,
        amount=MoneyShape.of_minor(row.amount.minor_units, row.amount.currency),
        reason=row.reason,
        asked_by=row.asked_by,
        asked_at=instant(row.asked_at_micros),
        state=row.state,
        decided_by=row.decided_by or None,
        decided_at=instant(row.decided_at_micros),
        note=row.note,
    )


@router.post("/v1/payments/{payment_id}/reversal", response_model=CorrectedPayment)
def reverse_payment(
    deps: DepsOf, who: CallerOf, payment_id: PaymentId, body: ReversalInput, once: OnceWithKey
) -> Response:
    """Reverse a payment: what it paid is open again, and orders that it was for wait for their cash."""

    def act(request_id: str) -> CorrectedPayment:
        wanted = pb.ReversePaymentRequest(
            request_id=request_id, payment_id=payment_id, reason=body.reason, asked_by=who.principal.sub
        )
        answer = deps.billing.ReversePayment(wanted)
        return corrected(answer.payment, answer.waiting)

    return once.answer(body, act, 200)


@router.post("/v1/payments/{payment_id}/reapply", response_model=CorrectedPayment)
def reapply_payment(
    deps: DepsOf, who: CallerOf, payment_id: PaymentId, body: ReapplicationInput, once: OnceWithKey
) -> Response:
    """Put all of a payment to another use: other invoices, another order, on account, or another customer."""

    def act(request_id: str) -> CorrectedPayment:
        wanted = reapplication_of(deps, payment_id, body, request_id)
        wanted.asked_by = who.principal.sub
        answer = deps.billing.ReapplyPayment(wanted)
        return corrected(answer.payment, answer.waiting)

    return once.answer(body, act, 200)


def reapplication_of(
    deps: Deps, payment_id: str, body: ReapplicationInput, request_id: str
) -> pb.ReapplyPaymentRequest:
    """What billing is asked; NotFound and Refused for a payment, customer or order that does not go with the others."""
    payer = body.customer_id or _payer(deps, payment_id)
    with deps.database.reading() as session:
        customers.get_customer(session, payer, EVERYTHING)
        orders = payment_uses.orders_of(session, payer, named_orders(body))
    return pb.ReapplyPaymentRequest(
        request_id=request_id,
        payment_id=payment_id,
        applications=applications_of(body),
        orders=order_parts(body, orders),
        is_on_account=body.on_account,
        reason=body.reason,
        customer_id=body.customer_id or "",
    )


@router.post("/v1/payments/{payment_id}/refund", response_model=CorrectedPayment)
def refund_payment(
    deps: DepsOf, who: CallerOf, payment_id: PaymentId, body: RefundInput, once: OnceWithKey
) -> Response:
    """Give cash that pays nothing back to its payer; what was captured from a card goes back to that card."""

    def act(request_id: str) -> CorrectedPayment:
        wanted = refund_of(deps, payment_id, body, request_id)
        wanted.asked_by = who.principal.sub
        answer = deps.billing.RefundPayment(wanted)
        return corrected(answer.payment, answer.waiting)

    return once.answer(body, act, 200)


def refund_of(deps: Deps, payment_id: str, body: RefundInput, request_id: str) -> pb.RefundPaymentRequest:
    """What billing is asked; NotFound for an order that does not exist."""
    order_id = ""
    if body.order_id:
        with deps.database.reading() as session:
            order_id = lookup.find_id(session, body.order_id)
    return pb.RefundPaymentRequest(
        request_id=request_id,
        payment_id=payment_id,
        amount=proto_money(money_of(body.amount)),
        order_id=order_id,
        reason=body.reason,
    )


@router.get("/v1/orders/{order_id}/money")
def get_order_money(deps: DepsOf, who: CallerOf, order_id: OrderReference) -> OrderMoney:
    """The money of one order: committed, held for it, invoiced, paid, what is on its card, and what it waits on."""
    with deps.database.reading() as session:
        order = lookup.load_order(session, lookup.find_id(session, order_id, who.scope), who.scope)
    asked = pb.GetOrderMoneyRequest(order_id=order.order_id, currency=order.currency)
    found = deps.billing.GetOrderMoney(asked)

    def money(minor: int) -> MoneyShape:
        return MoneyShape.of_minor(minor, order.currency)

    return OrderMoney(
        order_id=order.order_id,
        committed=money(found.committed.minor_units),
        held=money(found.held.minor_units),
        invoiced=money(found.invoiced.minor_units),
        paid=money(found.paid.minor_units),
        discount_taken=money(found.discount_taken.minor_units),
        credited=money(found.credited.minor_units),
        written_off=money(found.written_off.minor_units),
        waiting_on=found.waiting_on or None,
        waiting_since=instant(found.waiting_since_micros),
        missing=money(found.missing.minor_units),
        authorized=money(found.authorized.minor_units),
        captured=money(found.captured.minor_units),
        refunded=money(found.refunded.minor_units),
        card=found.card or None,
        decline_reason=found.decline_reason or None,
    )


def _payer(deps: DepsOf, payment_id: str) -> str:
    """Whose payment it is."""
    found = deps.billing.ListPayments(pb.ListPaymentsRequest(payment_id=payment_id, limit=1)).payments
    if not found:
        raise NotFound("PAYMENT_NOT_FOUND", f"there is no payment {payment_id}: check the identity")
    return str(found[0].customer_id)
