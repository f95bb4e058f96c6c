"""Releasing a hold: a page that says what it will do and who may, then a button."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from gateway.console import entries
from gateway.console.facts import known_facts
from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.people import owners
from gateway.console.visitor import Form, FormOf, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.errors import InvalidArgument
from services.orders.approvals import assignees, deciders, holds
from services.orders.domain.holds import MONEY_TYPES, Allowance, find_hold, remaining
from services.orders.order import aggregate, lookup
from services.orders.overview.decision_facts import facts_of, subjects_of

router = APIRouter()

HoldOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/orders/{number}/holds/{hold_id}")
def hold_page(who: VisitorOf, number: NumberOf, hold_id: HoldOf) -> Response:
    """What releasing it does and the facts it rests on; without the owner role it says who may."""
    now = who.deps.clock()
    with who.deps.database.reading() as session:
        found = aggregate.page(session, number, who.caller.scope).aggregate
        hold = find_hold(found.holds, hold_id)
        roles = assignees.owners_of(session, found.order, hold)
        names = owners(session, roles)
        obstacle = deciders.release_obstacle(session, found, hold, who.caller, now)
        about = subjects_of(session, hold)
        facts = facts_of(session, found.order, now) if hold.is_open else None
    others = [each for each in remaining(found.holds) if each.hold_id != hold_id]
    reviewers = found.asked.review.open_steps() if found.asked.review else ()
    waits_then = dict.fromkeys((*(each.owner_role for each in others), *(step.role for step in reviewers)))
    return render(
        "hold.html",
        who,
        order=found.order,
        hold=hold,
        others=others,
        waits_then=list(waits_then),
        obstacle=obstacle,
        roles=roles,
        owners=", ".join(names[role] for role in roles if role in names),
        named=[hold.released_by],
        is_on_money=hold.hold_type in MONEY_TYPES,
        about=about,
        known=known_facts(who, facts) if facts else None,
    )


@router.post("/orders/{number}/holds/{hold_id}")
def release_hold(form: FormOf, number: NumberOf, hold_id: HoldOf) -> Response:
    """Release it, as the API does."""
    who = form.visitor
    with who.deps.database.transaction() as session:
        order_id = lookup.find_id(session, number, who.caller.scope)
        note, now, contacts = form.text("note").strip(), who.deps.clock(), who.deps.contacts
        if not note:
            raise InvalidArgument("REASON_MISSING", "say why you are releasing it: the timeline keeps the reason")
        allowance = _allowance(form, lookup.load_order(session, order_id, who.caller.scope).currency)
        holds.release(session, order_id, hold_id, who.caller, note, now, form.version(), contacts, allowance)
    return leave(RedirectResponse(f"/orders/{number}", 303), who.deps.console, "hold_released", number)


def _allowance(form: Form, currency: str) -> Allowance:
    """What of a release on money was typed; a hold on something else has no such fields."""
    up_to, until = form.text("up_to").strip(), form.text("until").strip()
    return Allowance(
        entries.money(up_to, currency, "Up to") if up_to else None, entries.day(until, "Until") if until else None
    )
