"""What a carrier says of a parcel, and whether it changes anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.fulfillment.domain.packages import Package
from services.fulfillment.domain.shipment import Shipment, State
from services.kernel.errors import Refused


class CarrierStatus(StrEnum):
    """The carrier's words that we keep."""

    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    FAILED_ATTEMPT = "failed_attempt"
    DAMAGED = "damaged"
    RETURNED_TO_SENDER = "returned_to_sender"
    LOST = "lost"


PROBLEMS = frozenset(
    {
        CarrierStatus.EXCEPTION,
        CarrierStatus.FAILED_ATTEMPT,
        CarrierStatus.DAMAGED,
        CarrierStatus.RETURNED_TO_SENDER,
        CarrierStatus.LOST,
    }
)
"""What somebody must look at."""


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One verified message; (carrier, event_id) is its identity."""

    carrier: str
    event_id: str
    tracking_number: str
    status: CarrierStatus
    occurred_at: datetime


def check_repeat(earlier: CarrierEvent, event: CarrierEvent, order_id: str) -> None:
    """Refused when a carrier says something else under an id that it used before: what it says now would be lost."""
    if earlier != event:
        raise Refused(
            "WEBHOOK_ID_REUSED",
            f"this webhook-id has told of {earlier.tracking_number} being {earlier.status} already: send a new id",
            order_id=order_id,
        )


def package_of(event: CarrierEvent, shipment: Shipment) -> Package | None:
    """The package of the shipment that the event speaks of; None for one of another shipment or carrier."""
    if event.carrier != shipment.carrier:
        return None
    return next((each for each in shipment.packages if each.tracking_number == event.tracking_number), None)


def is_exception(event: CarrierEvent, shipment: Shipment, package: Package) -> bool:
    """Whether the event tells of a problem with a package that is still on its way, anything of what is said never to have left, or the
    delivery of what was stopped.
    """
    if shipment.reversal is not None:
        return True
    if shipment.is_intercepted:
        return event.status is CarrierStatus.DELIVERED
    is_on_its_way = shipment.state is State.SHIPPED and package.delivered_at is None
    return event.status in PROBLEMS and is_on_its_way


def problem_of(event: CarrierEvent) -> CarrierStatus:
    """The word for what is a problem; of what should not be on its way any more, whatever is said is one without a word of its own."""
    return event.status if event.status in PROBLEMS else CarrierStatus.EXCEPTION


def delivers(event: CarrierEvent, shipment: Shipment, package: Package) -> bool:
    """Whether the event delivers the package; what changes nothing, and everything after delivery, is only kept."""
    is_on_its_way = shipment.state is State.SHIPPED and package.delivered_at is None
    return event.status is CarrierStatus.DELIVERED and is_on_its_way and not shipment.is_intercepted
