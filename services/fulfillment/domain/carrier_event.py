"""What a carrier says of a parcel, and whether it changes anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.fulfillment.domain.shipment import Shipment, State
from services.kernel.errors import Refused


class CarrierStatus(StrEnum):
    """The carrier's words that we keep."""

    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"


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


def is_exception(event: CarrierEvent, shipment: Shipment) -> bool:
    """Whether the event tells of a problem with what is still on its way, anything of what is said never to have left, or the delivery
    of what was stopped.
    """
    if shipment.reversal is not None:
        return True
    if shipment.is_intercepted:
        return event.status is CarrierStatus.DELIVERED
    return event.status is CarrierStatus.EXCEPTION and shipment.state is State.SHIPPED


def delivers(event: CarrierEvent, shipment: Shipment) -> bool:
    """Whether the event moves the shipment; what changes nothing, and everything after delivery, is only kept."""
    return event.status is CarrierStatus.DELIVERED and shipment.state is State.SHIPPED and not shipment.is_intercepted
