"""Reviews: the inbox of what waits for a decision, and one page that decides a step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from gateway.console import entries
from gateway.console.facts import known_facts
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import Form, FormOf, Visitor, VisitorOf
from gateway.http.orders.orders import check_cursor
from gateway.http.orders.workflow_notification import hand_over
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import InvalidArgument, NotFound
from services.orders.domain.events import Event
from services.orders.domain.order import Order
from services.orders.domain.review_plan import MANUFACTURING
from services.orders.domain.reviews import BUYER, Step
from services.orders.domain.waiting import WaitingFor
from services.orders.lifecycle import decide as decisions
from services.orders.lifecycle.decide import Wanted
from services.orders.order import aggregate, lookup
from services.orders.overview import inbox
from services.orders.overview.background import background_of
from services.orders.overview.combined import combined_orders
from services.orders.overview.decision_facts import facts_of

router = APIRouter()

PAGE = 50
StepOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/reviews")
def inbox_page(
    who: VisitorOf,
    which: Annotated[Literal["me", "team", "all"], Query(alias="for")] = "me",
    cursor: Annotated[str, Query(max_length=300, pattern=r"^[!-~]*$")] = "",
) -> Response:
    """What waits for a decision, due first: mine, my team's, or everybody's."""
    check_cursor(cursor)
    now = who.deps.clock()
    with who.deps.database.reading() as session:
        page = inbox.page(session, who.caller, which, now, limit=PAGE, cursor=cursor)
        counts = inbox.counts(session, who.caller, now)
        up_next = _up_next(session, who)
    return render("reviews.html", who, page=page, which=which, counts=counts, up_next=up_next)


def _up_next(session: Session, who: Visitor) -> WaitingFor | None:
    """Whom the order waits for that this visitor has just decided on; customers read it on the order's own page."""
    if who.notice is None or not who.notice.subject or who.caller.reach == "own":
        return None
    try:
        order_id = lookup.find_id(session, who.notice.subject, who.caller.scope)
        return aggregate.read(session, order_id, who.caller.scope).standing.waiting_for
    except NotFound:
        return None


@router.get("/reviews/{step_id}")
def review_page(who: VisitorOf, step_id: StepOf) -> Response:
    """One step with everything a decision needs; who may not decide it is told who may."""
    now = who.deps.clock()
    is_redacted = who.caller.reach == "own"
    with who.deps.database.reading() as session:
        found = inbox.one(session, who.caller, step_id, now)
        behind = background_of(session, found)
        combined = None if is_redacted else combined_orders(session, found.order, who.caller.scope)
        is_open = found.step.is_undecided and not is_redacted
        facts = facts_of(session, found.order, now, found.review.change_id) if is_open else None
    steps = [step for step in found.review.steps if step.chain == BUYER or not is_redacted]
    return render(
        "review.html",
        who,
        found=found,
        order=found.order,
        step=found.step,
        steps=steps,
        behind=behind,
        known=known_facts(who, facts) if facts else None,
        is_redacted=is_redacted,
        is_plants=found.step.role == MANUFACTURING,
        combined=combined,
        named=_named(found.order, steps, behind.talk),
    )


def _named(order: Order, steps: Sequence[Step], talk: Sequence[Event]) -> set[str]:
    """The logins on the page."""
    decided = [one for step in steps for one in step.decisions]
    escalated = [sub for step in steps for sub in step.escalated_to]
    return {
        order.placed_by, *escalated, *(one.decided_by for one in decided), *(one.acting_for for one in decided),
        *(said.who for said in talk),
    }  # fmt: skip


@router.post("/reviews/{step_id}")
def decide(form: FormOf, step_id: StepOf) -> Response:
    """Approve, request changes or reject, as the API does."""
    who, deps = form.visitor, form.visitor.deps
    with deps.database.reading() as session:
        order = inbox.one(session, who.caller, step_id, deps.clock()).order
    version = form.version()
    if version is None:
        raise InvalidArgument("VERSION_MISSING", "the form does not say which version you saw: reload the page")
    wanted = Wanted(step_id, form.text("decision", most=20), version, form.text("note"), _ready_on(form))
    done = decisions.take_decision(deps.database, order.order_id, wanted, who.caller, deps.contacts, deps.clock)
    hand_over(deps, order.order_id, "decide", done.decision.decision_id, done.intent_id)
    return leave(RedirectResponse("/reviews", 303), deps.console, done.decision.decision, order.number)


def _ready_on(form: Form) -> date | None:
    """The plant's day; only an approval carries one."""
    given = form.text("ready_on", most=10)
    if not given or form.text("decision", most=20) != "approve":
        return None
    return entries.day(given, "ready on")
