"""Delegating one's approvals for a while, and ending that."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from gateway.console import entries
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, VisitorOf
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.clock import business_day, start_of_day
from services.kernel.errors import InvalidArgument
from services.orders.approvals import enough_people
from services.orders.domain.people import Delegation
from services.orders.masterdata import people

router = APIRouter()

_MOST = 100


@router.get("/delegations")
def delegations_page(who: VisitorOf) -> Response:
    """Who stands in for whom, and the form."""
    me = who.caller.principal
    with who.deps.database.reading() as session:
        found = people.list_delegations(session, who.caller, limit=_MOST)
        givers = people.givers(session, me.company or "") if who.caller.reach == "all" else ()
        takers = people.takers(session, me.company or "") if givers else people.delegates_of(session, me.sub)
    now = who.deps.clock()
    today = business_day(now, who.deps.database.time_zone)
    return render(
        "delegations.html",
        who,
        running=[one for one in found if one.revoked_at is None and one.valid_to > now],
        over=[one for one in found if one.revoked_at is not None or one.valid_to <= now],
        givers=givers,
        takers=[person for person in takers if person.sub != me.sub],
        today=today,
        tomorrow=today + timedelta(days=1),
        named=[sub for one in found for sub in (one.from_sub, one.to_sub)],
    )


@router.post("/delegations")
def delegate(form: FormOf) -> Response:
    """Delegate to somebody who was chosen and confirmed, from the morning of a day until the end of another, on the company's clock."""
    who = form.visitor
    if not form.text("to", most=128):
        raise InvalidArgument("DELEGATE_MISSING", "choose who decides instead")
    if form.text("confirmed", most=3) != "yes":
        raise InvalidArgument("NOT_CONFIRMED", "confirm that this person decides instead: check the box")
    first, last = entries.day(form.text("first"), "first day"), entries.day(form.text("last"), "last day")
    zone = who.deps.database.time_zone
    most = form.text("most", most=20)
    currency = form.text("currency", most=3).upper()
    maximum = entries.money(most, currency, "maximum") if most else None
    wanted = Delegation(
        delegation_id="",
        from_sub=form.text("from", most=128) or who.caller.principal.sub,
        to_sub=form.text("to", most=128),
        valid_from=max(start_of_day(first, zone), who.deps.clock()),
        valid_to=start_of_day(last + timedelta(days=1), zone),
        max_minor=maximum.minor if maximum else None,
        currency=currency if most else "",
        note=form.text("note"),
    )
    with who.deps.database.transaction() as session:
        people.delegate(session, wanted, who.caller, who.deps.clock())
        enough_people.recheck(session, who.deps.contacts, who.deps.clock())
    return leave(RedirectResponse("/delegations", 303), who.deps.console, "delegated")


@router.post("/delegations/{delegation_id}/revoke")
def revoke(form: FormOf, delegation_id: Annotated[str, Path(pattern=IDENTITY, max_length=64)]) -> Response:
    """End it now."""
    who = form.visitor
    with who.deps.database.transaction() as session:
        people.revoke(session, delegation_id, who.caller, who.deps.clock())
        enough_people.recheck(session, who.deps.contacts, who.deps.clock())
    return leave(RedirectResponse("/delegations", 303), who.deps.console, "delegation_ended")
