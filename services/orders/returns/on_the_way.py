"""Whoever sends goods back says that they are on their way, and by which parcel."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.access.matrix import Caller
from services.orders.changes.propose import actor_of
from services.orders.domain.mails import Contacts
from services.orders.domain.returns import Return
from services.orders.returns.changing import save, take


def record(
    session: Session, return_id: str, caller: Caller, carrier: str, tracking: str, contacts: Contacts, now: datetime
) -> Return:
    """Keep the parcel of a return; said again with another number, that one counts. Refused RETURN_NOT_AWAITED, RETURN_INTERCEPTED."""
    taken = take(session, return_id)
    found = taken.found
    if found.received >= found.announced:
        raise Refused("RETURN_NOT_AWAITED", f"all goods of {found.number} have come")
    if found.is_intercepted:
        raise Refused(
            "RETURN_INTERCEPTED",
            f"goods of {found.number} were stopped on their way: their carrier brings them, and nobody sends them",
        )
    if not found.is_to_be_sent:
        raise Refused("RETURN_NOT_AWAITED", f"{found.number} is {found.state}, and none of its goods are awaited")
    after = replace(found, in_transit_at=found.in_transit_at or now, carrier=carrier, tracking_number=tracking)
    why = " ".join(filter(None, (carrier, tracking)))
    return save(session, taken, after, actor_of(caller), "return_in_transit", contacts, now, why=why)
