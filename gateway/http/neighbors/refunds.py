"""Refunds that are owed to cards: money that an order no longer needs, until the payment provider or somebody else has paid it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Reference, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OfOrder, path_id
from gateway.http.plumbing.shapes import MoneyShape, instant
from oms.billing.v1 import billing_pb2 as pb

router = APIRouter(tags=["payments"])

State = Literal["open", "paid", "paid_otherwise"]
RefundId = Annotated[str, path_id("The refund's id.")]


class OwedRefund(BaseModel):
    """Money that goes back to the card it came from, because its order comes to less."""

    refund_id: str
    order_id: str
    customer_id: str
    payment_id: str
    amount: MoneyShape
    state: State
    failed_count: int = Field(description="How often the provider refused it, or it came back from its card.")
    reason: str | None = Field(description="Why it did last, in the provider's word.")
    is_escalated: bool = Field(description="Whether accounting must act: the order has an exception.")
    proposed_by: str | None = Field(
        description="Who wants it paid otherwise; over the limit a second person confirms it."
    )
    reference: str | None = Field(description="Under which reference it is to be, or was, paid otherwise.")
    owed_at: str | None
    settled_at: str | None = Field(description="When it was paid; null while it is open.")
    settled_by: str | None = Field(description="Who paid it otherwise; null for the provider.")


class PaidOtherwiseInput(Input):
    """That the refund was paid another way, such as by a bank transfer."""

    reference: Reference = Field(description="The bank's reference of that payment.")

    model_config = example(reference="WIRE-2026-11-30-7")


@router.get("/v1/refunds")
def list_refunds(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    state: Annotated[State | None, Query(description="Only these.")] = None,
) -> Page[OwedRefund]:
    """What is or was owed back to cards, oldest first. It is a liability (`refunds_payable`) until it is paid."""
    wanted = pb.ListOwedRefundsRequest(
        state=state or "", order_id=order_id or "", limit=paging.limit, cursor=paging.after("refunds")
    )
    found = deps.billing.ListOwedRefunds(wanted)
    following = sealed("refunds", found.next_cursor) if found.next_cursor else None
    return Page(rows=[refund_shape(one) for one in found.refunds], next_cursor=following)


@router.post("/v1/refunds/{refund_id}/retry", response_model=OwedRefund)
def retry_refund(deps: DepsOf, _who: CallerOf, once: OnceWithKey, refund_id: RefundId) -> Response:
    """Have the payment provider asked at once: again where it has not answered, once more where it refused.

    Its outcome follows by itself.
    """
    return once.answer(None, lambda request_id: refund_shape(retried(deps, refund_id, request_id)))


@router.post("/v1/refunds/{refund_id}/payment", response_model=OwedRefund)
def record_refund_payment(
    deps: DepsOf, who: CallerOf, once: OnceWithKey, refund_id: RefundId, body: PaidOtherwiseInput
) -> Response:
    """Record that a refund was paid another way than to its card. Over the limit it stays open until another person says the same.

    While the provider has not answered nobody knows whether it has paid, so nothing else may be.
    """
    return once.answer(
        body,
        lambda request_id: refund_shape(paid(deps, refund_id, body.reference, who.principal.sub, request_id)),
    )


def retried(deps: Deps, refund_id: str, request_id: str) -> pb.OwedRefund:
    """The refund once the provider is to be asked."""
    return deps.billing.RetryOwedRefund(pb.RetryOwedRefundRequest(request_id=request_id, refund_id=refund_id)).refund


def paid(deps: Deps, refund_id: str, reference: str, who: str, request_id: str) -> pb.OwedRefund:
    """The refund once somebody has said that it is paid otherwise."""
    wanted = pb.PayOwedRefundOtherwiseRequest(
        request_id=request_id, refund_id=refund_id, reference=reference, asked_by=who
    )
    return deps.billing.PayOwedRefundOtherwise(wanted).refund


def refund_shape(owed: pb.OwedRefund) -> OwedRefund:
    """A refund as the API shows it."""
    return OwedRefund.model_validate(
        {
            "refund_id": owed.refund_id,
            "order_id": owed.order_id,
            "customer_id": owed.customer_id,
            "payment_id": owed.payment_id,
            "amount": MoneyShape.of_proto(owed.amount),
            "state": owed.state,
            "failed_count": owed.failed_count,
            "reason": owed.reason or None,
            "is_escalated": owed.is_escalated,
            "proposed_by": owed.proposed_by or None,
            "reference": owed.reference or None,
            "owed_at": instant(owed.owed_at_micros),
            "settled_at": instant(owed.settled_at_micros),
            "settled_by": owed.settled_by or None,
        }
    )
