"""Returns that are credited without their goods: in advance, or because the customer keeps them; and those of which no more comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.kernel.errors import NotPermitted, Refused
from services.orders.domain.returns import (
    AUTHORIZED,
    EXPIRED,
    IN_ADVANCE,
    KEEP,
    REQUESTED,
    SELLER,
    InspectedUnits,
    Inspection,
    Return,
    ReturnLine,
    move,
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


def check_keep(found: Return) -> None:
    """What the customer is to keep is awaited from the customer, and only credited.

    Refused RETURN_STATE, RETURN_INTERCEPTED, RETURN_REPLACED.
    """
    check_open(found)
    if found.is_intercepted:
        raise Refused(
            "RETURN_INTERCEPTED",
            f"goods of {found.number} were stopped on their way: their carrier brings them, and the customer has none to keep",
        )
    if any(line.replace_quantity for line in awaited(found)):
        raise Refused(
            "RETURN_REPLACED",
            f"goods of {found.number} are replaced: cancel it, and ask for a return without an exchange",
        )


def may_keep(found: Return) -> bool:
    """Whether the customer may keep what is awaited."""
    return _allows(check_keep, found)


def may_credit_early(found: Return) -> bool:
    """Whether what is awaited may be credited in advance."""
    return _allows(check_early, found)


def _allows(check: Callable[[Return], None], found: Return) -> bool:
    try:
        check(found)
    except Refused:
        return False
    return True


def check_second(found: Return, who: str) -> None:
    """NotPermitted SECOND_PERSON for the one who asked for it."""
    if who == found.keep_asked_by:
        raise NotPermitted(
            "SECOND_PERSON", f"you asked for it: somebody else must agree that {found.number} is credited"
        )


def keep(found: Return) -> Return:
    """The customer keeps what has not come. The warehouse is told first; what it counted until then is not kept."""
    check_keep(found)
    state = move(found, "authorize") if found.state == REQUESTED else found.state
    return replace(found, state=state, closing=EXPIRED, is_kept=True)


def give_up(found: Return) -> Return:
    """Nothing more comes of a return of which some has. Refused NOTHING_RECEIVED for one of which nothing has."""
    check_open(found)
    if not found.received:
        raise Refused("NOTHING_RECEIVED", f"nothing of {found.number} has come: cancel it")
    return replace(found, closing=EXPIRED)


def check_early(found: Return) -> None:
    """Refused RETURN_STATE, RETURN_CREDITED, RETURN_REPLACED for what is not credited in advance."""
    if found.state != AUTHORIZED:
        raise Refused(
            "RETURN_STATE", f"{found.number} is {found.state}: only goods that may come are credited in advance"
        )
    check_open(found)
    if any(found.without_goods(line.line_id, IN_ADVANCE) for line in found.lines):
        raise Refused("RETURN_CREDITED", f"goods of {found.number} are credited in advance already")
    if any(line.replace_quantity for line in awaited(found)):
        raise Refused(
            "RETURN_REPLACED", f"goods of {found.number} are replaced: ask for a return that replaces them in advance"
        )


def credit_early(found: Return, inspection_id: str, who: str, now: datetime) -> Return:
    """All that is awaited is credited in advance, with no fee, and comes later; refused as `check_early` says."""
    check_early(found)
    units = tuple(
        InspectedUnits(line.line_id, line.sku, line.quantity, "A", IN_ADVANCE, SELLER, "credited in advance")
        for line in awaited(found)
    )
    return replace(found, inspections=(*found.inspections, Inspection(inspection_id, "", units, who, now)))


def credited_before(found: Return, inspection: Inspection) -> dict[str, int]:
    """Line id → units of an inspection that had been credited in advance: those that are inspected first from then on."""
    left, before = Counter[str](), Counter[str]()
    for one in found.inspections:
        before = Counter()
        for units in one.units:
            if units.disposition == IN_ADVANCE:
                left[units.line_id] += units.quantity
                continue
            taken = min(left[units.line_id], units.quantity)
            left[units.line_id] -= taken
            before[units.line_id] += taken
        if one.inspection_id == inspection.inspection_id:
            break
    return {line_id: count for line_id, count in before.items() if count}


def with_kept(found: Return, inspection_id: str, now: datetime) -> Return:
    """The return once its warehouse takes no more: what the customer keeps is an inspection without a warehouse, credited as any other."""
    rest = awaited(found)
    is_there = any(found.without_goods(line.line_id, KEEP) for line in rest)
    if not (found.is_kept and found.is_closed and rest) or is_there:
        return found
    units = tuple(
        InspectedUnits(line.line_id, line.sku, line.quantity, "A", KEEP, SELLER, "the customer keeps it")
        for line in rest
    )
    kept = Inspection(inspection_id, "", units, found.keep_asked_by, now)
    return replace(found, inspections=(*found.inspections, kept))
