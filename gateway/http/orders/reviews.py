"""Reviews: what waits for whom, one step, and deciding it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlmodel import Session

from gateway.http.orders.decision_facts import ask_neighbors, sight_of
from gateway.http.orders.decision_shapes import facts_shape
from gateway.http.orders.order_shapes import OrderDocument
from gateway.http.orders.order_views import order_document
from gateway.http.orders.orders import check_cursor
from gateway.http.orders.review_shapes import ReviewStepDocument, WaitingStep, review_shape, step_shape, waiting_step
from gateway.http.orders.workflow_notification import hand_over
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Day, Identity, Input, Text, Version, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OrderReference, path_id
from services.orders.lifecycle import decide as decisions
from services.orders.lifecycle.decide import Wanted
from services.orders.order import aggregate, lookup
from services.orders.overview import inbox
from services.orders.overview.combined import combined_orders
from services.orders.overview.decision_facts import facts_of
from services.orders.overview.inbox import Waiting

router = APIRouter(tags=["reviews"])


class DecisionInput(Input):
    """A decision on an open step; what is not a member here (who decides, for whom) is never taken from a request."""

    step_id: Identity
    decision: Literal["approve", "reject", "request_changes"]
    version: Version = Field(description="The order's version that you have seen; stale is 409.")
    note: Text = Field(default="", description="Why; needed for anything but an approval.")
    ready_on: Day | None = Field(
        default=None, description="Manufacturing alone: another day than its calendar allows; left out, that day."
    )

    model_config = example(step_id="stp_0198c6", decision="approve", version=1, note="agreed by phone")


@router.get("/v1/reviews")
def list_reviews(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    wanted: Annotated[
        Literal["me", "team", "all"],
        Query(
            alias="for", description="me: what you are asked; team: what your roles are asked; all: all you may see."
        ),
    ] = "me",
) -> Page[WaitingStep]:
    """Steps that wait for a decision, what is due first, each with whether you may take it and why not."""
    check_cursor(paging.cursor)
    now = deps.clock()
    with deps.database.reading() as session:
        found = inbox.page(session, who, wanted, now, limit=paging.limit, cursor=paging.cursor)
    rows = [waiting_step(row, who, _age_hours(row, now)) for row in found.rows]
    return Page(rows=rows, next_cursor=found.next_cursor or None)


@router.get("/v1/reviews/{step_id}")
def get_review_step(
    deps: DepsOf, who: CallerOf, step_id: Annotated[str, path_id("The step's id.")]
) -> ReviewStepDocument:
    """One step in whatever state, with the review around it: who decided already, who is next, and what a decision rests on."""
    now = deps.clock()
    is_redacted = who.reach == "own"
    with deps.database.reading() as session:
        found = inbox.one(session, who, step_id, now)
        is_shown = found.step.is_undecided and not is_redacted
        facts = facts_of(session, found.order, now, found.review.change_id) if is_shown else None
        combined = combined_orders(session, found.order, who.scope) if is_shown else None
    sight = sight_of(deps, who)
    return ReviewStepDocument(
        waiting=waiting_step(found, who, _age_hours(found, now)),
        step=step_shape(found.step, is_redacted=is_redacted),
        review=review_shape(found.review, who),
        facts=facts_shape(facts, ask_neighbors(deps, facts, sight), sight, combined) if facts else None,
    )


@router.post("/v1/orders/{order_id}/decisions", response_model=OrderDocument)
def decide_review(deps: DepsOf, who: CallerOf, once: OnceOf, order_id: OrderReference, body: DecisionInput) -> Response:
    """Approve, reject or request changes: one decision, bound to the version you saw; a late one is told how things stand."""

    def act(_request_id: str) -> OrderDocument:
        with deps.database.reading() as session:
            found_id = lookup.find_id(session, order_id)
        wanted = Wanted(body.step_id, body.decision, body.version, body.note, body.ready_on)

        def decided(session: Session) -> tuple[str, str]:
            done = decisions.decide(session, found_id, wanted, who, deps.contacts, deps.clock())
            return done.decision.decision_id, done.intent_id

        with decisions.keeping_refusals(deps.database, found_id, wanted, who, deps.clock):
            decision_id, intent_id = once.perform(body, decided)
        hand_over(deps, found_id, "decide", decision_id, intent_id)
        with deps.database.reading() as session:
            return order_document(aggregate.page(session, found_id, who.scope), who)

    return once.answer(body, act)


def _age_hours(row: Waiting, now: datetime) -> int:
    return max(0, (now - (row.step.opened_at or now)) // timedelta(hours=1))
