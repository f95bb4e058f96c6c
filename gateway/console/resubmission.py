"""Resubmitting an order whose review requested changes: a page that says what follows, then a button."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.http.orders.workflow_notification import hand_over
from services.orders.approvals.resubmit import resubmit
from services.orders.domain.reviews import CHANGES_REQUESTED
from services.orders.order import aggregate, lookup

router = APIRouter()


@router.get("/orders/{number}/answer")
def answer_page(who: VisitorOf, number: NumberOf) -> Response:
    """What the review asked, and what an answer without a change does."""
    with who.deps.database.reading() as session:
        found = aggregate.page(session, number, who.caller.scope).aggregate
    review = found.asked.review
    is_asked = review is not None and review.state == CHANGES_REQUESTED and found.asked.change is None
    decided = [one.decided_by for step in review.steps for one in step.decisions] if review else []
    return render("answer.html", who, order=found.order, review=review, is_asked=is_asked, named=decided)


@router.post("/orders/{number}/answer")
def answer_review(form: FormOf, number: NumberOf) -> Response:
    """Ask the review again, as the API does."""
    who = form.visitor
    with who.deps.database.transaction() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
        note, now, contacts = form.text("note"), who.deps.clock(), who.deps.contacts
        _after, intent_id = resubmit(session, order_id, who.caller, note, contacts, now, form.version())
    hand_over(who.deps, order_id, "decide", order_id, intent_id)
    return leave(RedirectResponse(f"/orders/{number}", 303), who.deps.console, "resubmitted", number)
