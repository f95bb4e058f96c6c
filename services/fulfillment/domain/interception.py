"""Stopping a parcel on its way: when its carrier may be asked, and what comes of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.kernel.errors import Refused

if TYPE_CHECKING:
    from services.fulfillment.domain.shipment import Shipment

ASKED, INTERCEPTED, REFUSED, TOO_LATE = "asked", "intercepted", "refused", "too_late"
ANSWERS = (INTERCEPTED, REFUSED, TOO_LATE)
"""What a carrier may answer: it is stopped, it is not, or it is there already."""


@dataclass(frozen=True, slots=True)
class Interception:
    """That a carrier was asked to stop a parcel, why and by whom; asked until it has answered."""

    state: str
    reason: str
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None = None


def check_on_its_way(shipment: Shipment) -> None:
    """Refuse (NOT_ON_ITS_WAY) what has not left, has arrived, or is no parcel."""
    if shipment.is_service:
        raise Refused("NOT_ON_ITS_WAY", f"{shipment.number} is a service visit: there is no parcel to stop")
    if shipment.state.value == "shipped":
        _check_none_arrived(shipment)
        return
    then = "cancel it instead" if shipment.shipped_at is None else "a return is possible"
    raise Refused("NOT_ON_ITS_WAY", f"{shipment.number} is {shipment.state} and cannot be stopped on its way: {then}")


def answered(shipment: Shipment, asked: Interception, answer: str, now: datetime) -> Interception:
    """What came of it; a shipment of which a package was delivered before its carrier answered was not stopped, whatever it says."""
    is_on_its_way = shipment.state.value == "shipped" and not any(each.delivered_at for each in shipment.packages)
    state = answer if is_on_its_way else TOO_LATE
    return replace(asked, state=state, answered_at=max(now, asked.asked_at))


def together(answers: Sequence[str]) -> str:
    """What a carrier says of a shipment by what it says of each package: it is stopped where all of them are."""
    return next((one for one in answers if one != INTERCEPTED), INTERCEPTED)


def _check_none_arrived(shipment: Shipment) -> None:
    for package in shipment.packages:
        if package.delivered_at is not None:
            raise Refused(
                "NOT_ON_ITS_WAY",
                f"package {package.number} of {shipment.number} is delivered, so that it cannot be stopped on its way: a return is possible",
            )
