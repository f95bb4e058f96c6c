"""Cancelling a whole order: what it would do, and doing it."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import from_thread
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Name, Version, example
from gateway.http.plumbing.parameters import OrderReference
from gateway.http.plumbing.shapes import MoneyShape
from oms.billing.v1 import billing_pb2 as billing
from services.kernel.errors import Refused
from services.orders.access.matrix import Caller
from services.orders.domain.cancellation import DONE, REQUESTED, CancellationPreview
from services.orders.lifecycle import cancel as cancellation
from services.orders.order import lookup, outbox
from services.runtime.grpc_client import Unreachable
from workflows.messages import CancelOrder, CancelOutcome

router = APIRouter(tags=["orders"])

Ticket = tuple[str, ...]
"""A stored request to cancel: its id, the outbox row that would hand it over, and the answer as long as it is not settled."""


class CancellationInput(Input):
    """Why, and which version of the order was seen."""

    reason: Name
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")

    model_config = example(reason="the project was postponed", version=1)


class CancellationObstacle(BaseModel):
    """Why an order cannot be cancelled."""

    code: str
    detail: str


class CancellationConsequences(BaseModel):
    """What cancelling does."""

    is_possible: bool
    obstacles: list[CancellationObstacle]
    cancelled: dict[str, int] = Field(description="Line → units that will not come.")
    freed_stock: dict[str, int] = Field(description="Line → units that others can have.")
    stopped_shipments: list[str]
    released_credit: MoneyShape | None = Field(
        description="What the customer's credit gets back; null for a customer, and while billing does not answer."
    )
    refund: MoneyShape = Field(description="What has been paid and is owed back.")


class CancellationShape(BaseModel):
    """A cancellation: previewed, requested (its outcome follows by itself) or done."""

    order_id: str
    cancellation_id: str | None = Field(description="Null for a preview.")
    state: str = Field(description="preview, requested or done.")
    consequences: CancellationConsequences


_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": CancellationShape, "description": "Stored; its outcome follows by itself."}
}


@router.post("/v1/orders/{order_id}/cancellation", response_model=CancellationShape, responses=_ANSWERS)
def cancel_order(
    deps: DepsOf,
    who: CallerOf,
    once: OnceWithKey,
    order_id: OrderReference,
    body: CancellationInput,
    if_match: IfMatch,
    preview: Annotated[bool, Query(description="Only say what it would do.")] = False,
) -> Response | CancellationShape:
    """Cancel the whole order before anything has shipped; the answer says what money, stock and credit follow."""
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
    if preview:
        return _previewed(deps, who, found_id)
    expected = expected_version(body.version, if_match)

    def act(_request_id: str) -> CancellationShape:
        committed = committed_credit(deps, who, found_id)
        ticket = once.perform(
            body, lambda session: _request(session, deps, who, found_id, body.reason, expected, committed)
        )
        return _carry_out(deps, who, found_id, body.reason, ticket)

    return once.answer(body, act, lambda done: 200 if done.state == DONE else 202)


def committed_credit(deps: Deps, who: Caller, order_id: str) -> int | None:
    """What billing holds of the customer's credit for the order, in minor units; None while billing does not answer.

    A customer is not told: nothing would say that credit is what holds the order.
    """
    if who.reach == "own":
        return None
    try:
        return deps.billing.GetCommitment(billing.GetCommitmentRequest(order_id=order_id)).remaining.minor_units
    except Unreachable:
        return None


def _previewed(deps: Deps, who: Caller, order_id: str) -> CancellationShape:
    committed = committed_credit(deps, who, order_id)
    with deps.database.reading() as session:
        return _shape(order_id, None, "preview", cancellation.preview(session, order_id, who.scope, committed))


def cancel(deps: Deps, who: Caller, order_id: str, reason: str, expected: int | None) -> CancellationShape:
    """Record the request and hand it to the workflow; `requested` when its outcome follows by itself. Runs in a thread."""
    committed = committed_credit(deps, who, order_id)
    with deps.database.transaction() as session:
        ticket = _request(session, deps, who, order_id, reason, expected, committed)
    return _carry_out(deps, who, order_id, reason, ticket)


def _request(
    session: Session, deps: Deps, who: Caller, order_id: str, reason: str, expected: int | None, committed: int | None
) -> Ticket:
    asked = cancellation.request(session, order_id, who, reason, deps.clock(), expected, committed=committed)
    cancellation_id = asked.cancellation.cancellation_id
    shape = _shape(order_id, cancellation_id, asked.cancellation.state, asked.preview)
    return cancellation_id, asked.intent_id, shape.model_dump_json()


def _carry_out(deps: Deps, who: Caller, order_id: str, reason: str, ticket: Ticket) -> CancellationShape:
    """Hand a stored request over, unless it is settled: whoever asks again after a crash hears what became of it."""
    cancellation_id, intent_id, kept = ticket
    outcome = _settled(deps, who, order_id, cancellation_id)
    if outcome is None:
        outcome = _hand_over(deps, order_id, CancelOrder(cancellation_id, reason))
        if outcome is not None:
            _settle(deps, order_id, intent_id, outcome)
    shape = CancellationShape.model_validate_json(kept)
    if outcome is None:
        return shape
    if not outcome.is_cancelled:
        raise Refused("CANCELLATION_DECLINED", outcome.reason or "the order can no longer be cancelled: reload it")
    return shape.model_copy(update={"state": DONE})


def _settled(deps: Deps, who: Caller, order_id: str, cancellation_id: str) -> CancelOutcome | None:
    with deps.database.reading() as session:
        found = cancellation.get(session, order_id, cancellation_id, who.scope)
    if found is None or found.state == REQUESTED:
        return None
    return CancelOutcome(is_cancelled=found.state == DONE, reason=found.settled_reason)


def _hand_over(deps: Deps, order_id: str, request: CancelOrder) -> CancelOutcome | None:
    """The workflow's answer; None when it is away, and the relay hands the request over later."""
    with deps.database.reading() as session:
        number = lookup.number_of(session, order_id)
    try:
        return from_thread.run(deps.workflows.cancel, number, request, deps.settings.cancel_timeout)
    except Unreachable:
        return None


def _settle(deps: Deps, order_id: str, intent_id: str, outcome: CancelOutcome) -> None:
    with deps.database.transaction() as session:
        outbox.mark_done(session, intent_id)
        if not outcome.is_cancelled:
            cancellation.decline(session, order_id, outcome.reason, deps.clock())


def _shape(order_id: str, cancellation_id: str | None, state: str, preview: CancellationPreview) -> CancellationShape:
    return CancellationShape(
        order_id=order_id,
        cancellation_id=cancellation_id,
        state=state,
        consequences=CancellationConsequences(
            is_possible=preview.is_possible,
            obstacles=[CancellationObstacle(code=code, detail=detail) for code, detail in preview.reasons],
            cancelled=preview.cancelled,
            freed_stock=preview.freed_stock,
            stopped_shipments=list(preview.stopped_shipments),
            released_credit=_amount(preview.released_credit_minor, preview.currency),
            refund=MoneyShape.of_minor(preview.refund_minor, preview.currency),
        ),
    )


def _amount(minor: int | None, currency: str) -> MoneyShape | None:
    return None if minor is None else MoneyShape.of_minor(minor, currency)
