"""Canceling or closing what of an order has not shipped: what it would do, and doing it."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import from_thread
from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import Session

from gateway.http.orders.cancellation_shapes import (
    CancellationShape,
    LineToCancelInput,
    WithdrawnCancellation,
    cancellation_shape,
)
from gateway.http.orders.change_input import WithdrawalInput
from gateway.http.orders.workflow_notification import hand_over
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf, OnceWithKey
from gateway.http.plumbing.inputs import Input, Name, Switch, Version, example
from gateway.http.plumbing.parameters import OrderReference, path_id
from oms.billing.v1 import billing_pb2 as billing
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import Refused
from services.orders.access.matrix import Caller
from services.orders.domain.cancellation import DECLINED, DONE, REQUESTED, Cancellation
from services.orders.domain.cancelled_units import LineToCancel
from services.orders.lifecycle import cancel as cancellation
from services.orders.lifecycle.cancel import Asked
from services.orders.order import lookup, outbox
from services.runtime.grpc_client import Unreachable
from workflows.messages import CancelOrder, CancelOutcome

router = APIRouter(tags=["orders"])

Ticket = tuple[str, ...]
"""A stored request to cancel: its id, the outbox row that would hand it over, the answer as long as it is not settled, and the id of
the change that cancels a part; older releases kept no such id."""


class CancellationInput(Input):
    """Why, which version of the order was seen, and which lines; without lines all that has not shipped."""

    reason: Name
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")
    lines: list[LineToCancelInput] = Field(
        default_factory=list,
        max_length=MAX_LINES,
        description="What of the order goes; without any all that has not shipped.",
    )
    waive_fee: Name | None = Field(
        default=None, description="Why no fee is charged for it; only staff may say so (403 `FEE_NOT_WAIVED`)."
    )
    without_refund: Switch = Field(
        default=False,
        description="What has been paid for it stays on the customer's account, as agreed for a swap. Only support may.",
    )

    model_config = example(reason="the project was postponed", version=1, lines=[{"line_id": "1", "quantity": 6}])

    def asked(self) -> Asked:
        """What is asked, as the service has it."""
        lines = tuple(LineToCancel(line.line_id, line.quantity) for line in self.lines)
        return Asked(lines, waived_reason=self.waive_fee or "", keeps_cash=self.without_refund)


_TOO_LATE = "it can no longer be canceled: reload the order"
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
    """Cancel what of an order has not shipped: all of it, lines or units. The answer says what money, stock and credit follow.

    What waits for stock goes first, then what is allocated, then what is with a warehouse, which is asked to give it back: what it
    keeps is not canceled. Prices of what is left stay, no minimum is judged again, and a line's share of the discount goes with it.
    An order of which nothing has shipped and nothing would be left ends. What is built to order may cost a fee by how far its
    production is, which is invoiced, or kept from what has been paid.
    """
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
    if preview:
        return previewed(deps, who, found_id, body.asked())
    expected = expected_version(body.version, if_match)

    def act(_request_id: str) -> CancellationShape:
        committed = committed_credit(deps, who, found_id)
        ticket = once.perform(
            body,
            lambda session: request(session, deps, who, found_id, body.reason, expected, committed, body.asked()),
        )
        return carry_out(deps, who, found_id, body.reason, ticket)

    return once.answer(body, act, lambda done: 200 if done.state == DONE else 202)


@router.post("/v1/orders/{order_id}/cancellations/{cancellation_id}/withdrawal", response_model=WithdrawnCancellation)
def withdraw_cancellation(
    deps: DepsOf,
    who: CallerOf,
    once: OnceOf,
    order_id: OrderReference,
    cancellation_id: Annotated[str, path_id("The cancellation's id.")],
    body: WithdrawalInput | None = None,
) -> Response:
    """Withdraw a cancellation or a closing while a warehouse has not answered it. Nothing of it is canceled then.

    What was given back meanwhile goes to the warehouses again. A customer withdraws what a customer asked for (403 `CANCELLATION_NOT_YOURS`).
    """
    wanted = body or WithdrawalInput()

    def act(_request_id: str) -> WithdrawnCancellation:
        def withdrawn(session: Session) -> tuple[str, str, str]:
            found_id = lookup.find_id(session, order_id, who.scope)
            asked, intent_id = cancellation.withdraw(
                session, found_id, cancellation_id, wanted.note, who, deps.contacts, deps.clock()
            )
            return found_id, intent_id, asked.change_id

        found_id, intent_id, change_id = once.perform(wanted, withdrawn)
        hand_over(deps, found_id, "amend", change_id, intent_id)
        return WithdrawnCancellation(order_id=found_id, cancellation_id=cancellation_id, state=DECLINED)

    return once.answer(wanted, act)


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


def previewed(deps: Deps, who: Caller, order_id: str, asked: Asked) -> CancellationShape:
    """What canceling these lines, or closing them, would do now."""
    committed = committed_credit(deps, who, order_id)
    with deps.database.reading() as session:
        found = cancellation.preview(session, order_id, who, committed, asked, deps.clock())
    return cancellation_shape(order_id, None, "preview", found.consequence, found.obstacles, found.shipped)


def cancel(
    deps: Deps,
    who: Caller,
    order_id: str,
    reason: str,
    expected: int | None,
    asked: Asked,
) -> CancellationShape:
    """Record the request and hand it to the workflow; `requested` when its outcome follows by itself. Runs in a thread."""
    committed = committed_credit(deps, who, order_id)
    with deps.database.transaction() as session:
        ticket = request(session, deps, who, order_id, reason, expected, committed, asked)
    return carry_out(deps, who, order_id, reason, ticket)


def request(
    session: Session,
    deps: Deps,
    who: Caller,
    order_id: str,
    reason: str,
    expected: int | None,
    committed: int | None,
    asked: Asked,
) -> Ticket:
    """Store the request; the ticket carries it out."""
    stored = cancellation.request(
        session, order_id, who, reason, deps.clock(), expected, committed=committed, asked=asked
    )
    one = stored.cancellation
    shape = cancellation_shape(order_id, one.cancellation_id, one.state, stored.preview.consequence)
    return one.cancellation_id, stored.intent_id, shape.model_dump_json(), one.change_id


def carry_out(deps: Deps, who: Caller, order_id: str, reason: str, ticket: Ticket) -> CancellationShape:
    """Hand a stored request over, unless it is settled: whoever asks again after a crash hears what became of it."""
    cancellation_id, intent_id, kept, *of_change = ticket
    change_id = of_change[0] if of_change else ""
    shape = CancellationShape.model_validate_json(kept)
    done = _settled(deps, who, order_id, cancellation_id)
    if done is None and change_id:
        hand_over(deps, order_id, "amend", change_id, intent_id)
        done = _settled(deps, who, order_id, cancellation_id)
    elif done is None:
        return _whole(deps, order_id, CancelOrder(cancellation_id, reason), intent_id, shape)
    if done is None:
        return shape
    if done.state != DONE:
        raise Refused("CANCELLATION_DECLINED", done.settled_reason or _TOO_LATE)
    if done.consequence is None:
        return shape.model_copy(update={"state": DONE})
    return cancellation_shape(order_id, cancellation_id, DONE, done.consequence)


def _settled(deps: Deps, who: Caller, order_id: str, cancellation_id: str) -> Cancellation | None:
    with deps.database.reading() as session:
        found = cancellation.get(session, order_id, cancellation_id, who.scope)
    return None if found is None or found.state == REQUESTED else found


def _whole(
    deps: Deps, order_id: str, request: CancelOrder, intent_id: str, shape: CancellationShape
) -> CancellationShape:
    """Have the workflow end the order; when that is away, the relay hands the request over later."""
    with deps.database.reading() as session:
        number = lookup.number_of(session, order_id)
    try:
        outcome = from_thread.run(deps.workflows.cancel, number, request, deps.settings.cancel_timeout)
    except Unreachable:
        return shape
    if outcome is None:
        return shape
    _settle(deps, order_id, request.cancellation_id, intent_id, outcome)
    if not outcome.is_cancelled:
        raise Refused("CANCELLATION_DECLINED", outcome.reason or _TOO_LATE)
    return shape.model_copy(update={"state": DONE})


def _settle(deps: Deps, order_id: str, cancellation_id: str, intent_id: str, outcome: CancelOutcome) -> None:
    with deps.database.transaction() as session:
        outbox.mark_done(session, intent_id)
        if not outcome.is_cancelled:
            cancellation.decline(session, order_id, cancellation_id, outcome.reason, deps.clock())
