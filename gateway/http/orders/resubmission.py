"""Answering a review that asked for changes without changing the order."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import Session

from gateway.http.orders.order_shapes import OrderDocument
from gateway.http.orders.order_views import order_document
from gateway.http.orders.workflow_notification import hand_over
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Input, Name, Version, example
from gateway.http.plumbing.parameters import OrderReference
from services.orders.approvals.resubmit import resubmit
from services.orders.order import aggregate, lookup

router = APIRouter(tags=["reviews"])


class ResubmissionInput(Input):
    """What the reviewers asked, answered; and which version of the order was seen."""

    note: Name
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")

    model_config = example(note="the price was agreed with Ann for this project only", version=1)


@router.post("/v1/orders/{order_id}/resubmission", response_model=OrderDocument)
def resubmit_order(
    deps: DepsOf, who: CallerOf, once: OnceOf, order_id: OrderReference, body: ResubmissionInput, if_match: IfMatch
) -> Response:
    """Answer a review that asked for changes when nothing has to change: the same version is reviewed again."""
    expected = expected_version(body.version, if_match)

    def answered(session: Session) -> tuple[str, str]:
        found_id = lookup.find_id(session, order_id, who.scope)
        _, intent_id = resubmit(session, found_id, who, body.note, deps.contacts, deps.clock(), expected)
        return found_id, intent_id

    def act(_request_id: str) -> OrderDocument:
        found_id, intent_id = once.perform(body, answered)
        hand_over(deps, found_id, "decide", found_id, intent_id)
        with deps.database.reading() as session:
            return order_document(aggregate.page(session, found_id, who.scope), who)

    return once.answer(body, act)
