"""Reversing a ship confirm that was a mistake: when that may be, and what becomes of the goods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services.fulfillment.domain.packages import repacked
from services.fulfillment.domain.returns import Units
from services.fulfillment.domain.shipment import LEFT, Reversal, Shipment, State, Verb, moved
from services.kernel.errors import Refused
from services.kernel.ids import shipment_number


def check_reversible(shipment: Shipment, *, is_with_carrier: bool, is_order_cancelled: bool) -> None:
    """Refuse what has left after all, or never did.

    SHIPMENT_REVERSED for a second time, SHIPMENT_DELIVERED and CARRIER_HAS_SHIPMENT once it is on its way, ORDER_CANCELLED where
    nothing more of its order is shipped, and ILLEGAL_TRANSITION for what was never confirmed.
    """
    number = shipment.number
    if shipment.reversal is not None:
        raise Refused(
            "SHIPMENT_REVERSED",
            f"the ship confirm of {number} is reversed already: {shipment.reversal.replaced_by} has its goods",
        )
    if shipment.state is State.DELIVERED:
        what = "was performed" if shipment.is_service else "is delivered"
        raise Refused("SHIPMENT_DELIVERED", f"{number} {what}: ask for a return instead")
    moved(shipment, Verb.REVERSE)
    if shipment.interception is not None:
        raise Refused(
            "CARRIER_HAS_SHIPMENT", f"{shipment.carrier} was asked to stop {shipment.number}, so that it has left"
        )
    if is_with_carrier:
        raise Refused(
            "CARRIER_HAS_SHIPMENT",
            f"{shipment.carrier} has told of {number} on its way, so that it has left: ask for a return instead",
        )
    if is_order_cancelled:
        raise Refused("ORDER_CANCELLED", f"{shipment.order_number} is canceled: ask for a return of {number} instead")


def check_not_back(shipment: Shipment, others: Iterable[Shipment], came_back: Units) -> None:
    """Refuse (RETURN_RECEIVED) a shipment of whose units more have come back than the order's other ones that left had."""
    left: Counter[str] = Counter()
    for other in others:
        if other.state in LEFT:
            left.update({line.line_id: line.quantity for line in other.lines})
    for line in shipment.lines:
        if came_back.get(line.line_id, 0) > left[line.line_id]:
            raise Refused(
                "RETURN_RECEIVED", f"units of {line.sku} have come back of {shipment.number}, so that it has left"
            )


def reverse(shipment: Shipment, serial: int, who: str, reason: str, now: datetime) -> Shipment:
    """The shipment as it is kept: cancelled, with what was said of it. `serial` is of the one that has its goods."""
    state = moved(shipment, Verb.REVERSE)
    assert shipment.shipped_at is not None, "what has shipped has an instant"
    at = max(now, shipment.shipped_at)
    return replace(
        shipment,
        state=state,
        shipped_at=None,
        exception_at=None,
        cancelled_at=at,
        reversal=Reversal(shipment.shipped_at, at, who, reason, shipment_number(serial)),
    )


def replacement(shipment: Shipment, shipment_id: str, serial: int) -> Shipment:
    """The goods as they were before they were said to have left: packed, with no carrier yet, under a number of their own; their packages need new codes."""
    return replace(
        shipment,
        shipment_id=shipment_id,
        serial=serial,
        state=State.PACKED,
        carrier="",
        tracking_number="",
        freight_cost=None,
        shipped_at=None,
        exception_at=None,
        replaces=shipment.number,
        packages=repacked(shipment.packages),
    )
