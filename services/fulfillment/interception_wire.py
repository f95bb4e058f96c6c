"""Interceptions as protobuf, and the fact of one."""

from __future__ import annotations

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.domain.interception import ANSWERS, Interception
from services.fulfillment.domain.shipment import Shipment
from services.kernel.errors import InvalidArgument
from services.runtime.wire import optional_micros


def interception_message(found: Interception | None) -> pb.ShipmentInterception | None:
    """What came of asking a carrier; None where nobody asked."""
    if found is None:
        return None
    return pb.ShipmentInterception(
        state=found.state,
        reason=found.reason,
        asked_by=found.asked_by,
        asked_at_micros=optional_micros(found.asked_at),
        answered_at_micros=optional_micros(found.answered_at),
    )


def intercepted_at_micros(shipment: Shipment) -> int:
    """When it was stopped on its way; 0 where it was not."""
    found = shipment.interception
    return optional_micros(found.answered_at) if found and shipment.is_intercepted else 0


def carrier_answer(given: str) -> str:
    """What a person says that the carrier answered, or nothing."""
    if given and given not in ANSWERS:
        raise InvalidArgument("CARRIER_ANSWER_UNKNOWN", f"carrier_answer is one of {', '.join(ANSWERS)}")
    return given
