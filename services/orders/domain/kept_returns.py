"""Returns of which no more goods are awaited: the customer keeps the rest and is credited for it, or it never comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.kernel.errors import NotPermitted, Refused
from services.orders.domain.returns import (
    AUTHORIZED,
    EXPIRED,
    KEEP,
    REQUESTED,
    SELLER,
    InspectedUnits,
    Inspection,
    Return,
    ReturnLine,
    move,
    with_inspection,
)


def awaited(found: Return) -> tuple[ReturnLine, ...]:
    """Its lines with what of them has not come."""
    return tuple(
        replace(line, quantity=line.quantity - line.received, received=0, inspected=0)
        for line in found.lines
        if line.quantity > line.received
    )


def check_open(found: Return) -> None:
    """Refused RETURN_STATE for a return of which nothing is awaited any more."""
    if found.state not in (REQUESTED, AUTHORIZED) or found.closing or found.is_closed or not awaited(found):
        raise Refused("RETURN_STATE", f"nothing of {found.number} is awaited any more: reload it")


def check_second(found: Return, who: str) -> None:
    """NotPermitted SECOND_PERSON for the one who asked for it."""
    if who == found.keep_asked_by:
        raise NotPermitted(
            "SECOND_PERSON", f"you asked for it: somebody else must agree that {found.number} is credited"
        )


def keep(found: Return) -> Return:
    """The customer keeps what has not come. The warehouse is told first; what it counted until then is not kept."""
    check_open(found)
    state = move(found, "authorize") if found.state == REQUESTED else found.state
    return replace(found, state=state, closing=EXPIRED, is_kept=True)


def give_up(found: Return) -> Return:
    """Nothing more comes of a return of which some has. Refused NOTHING_RECEIVED for one of which nothing has."""
    check_open(found)
    if not found.received:
        raise Refused("NOTHING_RECEIVED", f"nothing of {found.number} has come: cancel it")
    return replace(found, closing=EXPIRED)


def with_kept(found: Return, inspection_id: str, now: datetime) -> Return:
    """The return once its warehouse takes no more: what the customer keeps is an inspection without a warehouse, credited as any other."""
    rest = awaited(found)
    if not (found.is_kept and found.is_closed and rest):
        return found
    units = tuple(
        InspectedUnits(line.line_id, line.sku, line.quantity, "A", KEEP, SELLER, "the customer keeps it")
        for line in rest
    )
    by = found.keep_asked_by or found.decided_by or found.requested_by
    return with_inspection(found, Inspection(inspection_id, "", units, by, now))
