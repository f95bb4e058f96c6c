"""Feedback of a customer on its order."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Input, Switch, Text, example
from gateway.http.plumbing.parameters import OrderReference
from gateway.http.plumbing.shapes import rfc3339
from services.orders.access.matrix import Caller
from services.orders.domain.feedback import Feedback, Opinion
from services.orders.lifecycle import feedback
from services.orders.order import lookup

router = APIRouter(tags=["orders"])


class FeedbackInput(Input):
    """A rating, a wish for support, or both."""

    rating: Annotated[int | None, Field(strict=True, ge=1, le=5, description="1 is worst, 5 is best.")] = None
    comment: Text = ""
    wants_support: Switch = False

    model_config = example(rating=4, comment="one day late, well packed")


class FeedbackShape(BaseModel):
    """Feedback that was given."""

    order_id: str
    rating: int | None
    comment: str
    wants_support: bool
    case_number: str | None = Field(description="The support case it opened; null when none.", examples=["CASE-1001"])
    given_by: str
    given_at: str


@router.post("/v1/orders/{order_id}/feedback", status_code=201, response_model=FeedbackShape)
def give_feedback(deps: DepsOf, who: CallerOf, once: OnceOf, order_id: OrderReference, body: FeedbackInput) -> Response:
    """Say how the order went, once, after a delivery; a rating of 2 or less, or a wish for support, opens a support case."""
    opinion = Opinion(body.rating, body.comment, body.wants_support)

    def give(session: Session) -> FeedbackShape:
        found_id = lookup.find_id(session, order_id, who.scope)
        return _shape(feedback.give(session, found_id, who, opinion, deps.settings.support_email, deps.clock()), who)

    return once.answer_here(body, give, 201)


@router.get("/v1/orders/{order_id}/feedback")
def get_feedback(deps: DepsOf, who: CallerOf, order_id: OrderReference) -> FeedbackShape:
    """The feedback on an order; 404 while there is none."""
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
        return _shape(feedback.of_order(session, found_id, who.scope), who)


def _shape(given: Feedback, who: Caller) -> FeedbackShape:
    """As this caller sees it: a customer is told a role of ours, not a name."""
    is_hidden = who.reach == "own" and given.given_by != who.principal.sub
    return FeedbackShape(
        order_id=given.order_id,
        rating=given.opinion.rating,
        comment=given.opinion.comment,
        wants_support=given.opinion.wants_support,
        case_number=given.case_number,
        given_by=given.given_role if is_hidden else given.given_by,
        given_at=rfc3339(given.given_at),
    )
