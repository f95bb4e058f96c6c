"""The buttons of a return whose credit does not wait for its goods."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from gateway.console.notices import leave
from gateway.console.returns import ReturnOf, note_of
from gateway.console.visitor import FormOf
from services.orders.returns import keep, reading

router = APIRouter()


@router.post("/returns/{return_id}/keep")
def credit_kept(form: FormOf, return_id: ReturnOf) -> Response:
    """Credit what has not come; the customer keeps it."""
    who, note = form.visitor, note_of(form)
    with who.deps.database.transaction() as session:
        found, _ = reading.find_id(session, return_id, who.caller.scope)
        done = keep.keep(session, found, who.caller, note, who.deps.contacts, who.deps.clock())
    code = "return_kept" if done.is_kept else "return_keep_asked"
    return leave(RedirectResponse(f"/returns/{done.number}", 303), who.deps.console, code, done.number)


@router.post("/returns/{return_id}/credit")
def credit_early(form: FormOf, return_id: ReturnOf) -> Response:
    """Credit what is awaited before it comes."""
    who, note = form.visitor, note_of(form)
    with who.deps.database.transaction() as session:
        found, _ = reading.find_id(session, return_id, who.caller.scope)
        done = keep.credit_early(session, found, who.caller, note, who.deps.contacts, who.deps.clock())
    return leave(
        RedirectResponse(f"/returns/{done.number}", 303), who.deps.console, "return_credited_early", done.number
    )


@router.post("/returns/{return_id}/give-up")
def give_up(form: FormOf, return_id: ReturnOf) -> Response:
    """Await no more goods."""
    who, note = form.visitor, note_of(form)
    with who.deps.database.transaction() as session:
        found, _ = reading.find_id(session, return_id, who.caller.scope)
        done = keep.give_up(session, found, who.caller, note, who.deps.contacts, who.deps.clock())
    return leave(RedirectResponse(f"/returns/{done.number}", 303), who.deps.console, "return_given_up", done.number)
