"""What comes next for a return: stock and money follow each inspection, and it ends once nothing is left to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.orders.domain.returns import AUTHORIZED, CANCELLED, EXPIRED, REQUESTED, Return

ANNOUNCE, CREDIT, CLOSE, WAIT, OVER = "announce", "credit", "close", "wait", "over"
NET, SETTLE = "net", "settle"


@dataclass(frozen=True, slots=True)
class NextStep:
    """What the workflow of a return does next; until `deadline` where it waits with one."""

    action: str
    inspection_id: str = ""
    deadline: datetime | None = None


def next_step(found: Return) -> NextStep:
    """What comes next. Stock and money follow each inspection; what has not come is given up when it is due, or cancelled."""
    if not found.is_open:
        return NextStep(OVER)
    if found.state == REQUESTED:
        return NextStep(WAIT)
    if not found.is_announced and not found.closing:
        return NextStep(ANNOUNCE)
    for one in found.inspections:
        if one.credited_at is None:
            return NextStep(CREDIT, one.inspection_id)
    for one in found.inspections:
        if not found.is_netted(one):
            return NextStep(NET, one.inspection_id)
    if found.closing and not found.is_closed:
        return NextStep(CLOSE)
    if found.has_all and any(one.is_unsettled for one in found.replacements):
        return NextStep(SETTLE)
    is_all_here = found.received >= found.announced or found.is_closed
    return NextStep(WAIT, deadline=None if is_all_here else found.valid_until)


def after_deadline(found: Return, passed: datetime) -> Return:
    """The return when a deadline has passed: no more goods are wanted, unless all have come or somebody was quicker."""
    is_due = found.state == AUTHORIZED and found.valid_until is not None and passed >= found.valid_until
    if not is_due or found.closing or found.received >= found.announced:
        return found
    return replace(found, closing=EXPIRED)


def finished(found: Return) -> str:
    """The verb that ends it once all that came is credited and nothing more comes; empty while it goes on."""
    if found.state != AUTHORIZED or not found.has_all:
        return ""
    if any(one.is_unsettled for one in found.replacements) or not all(map(found.is_netted, found.inspections)):
        return ""
    if found.received or found.is_kept:
        return "close"
    return "cancel" if found.closing == CANCELLED else "expire"
