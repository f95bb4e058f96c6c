"""Which shipments are asked for: protobuf to the store's filters."""

from __future__ import annotations

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.domain.shipment import State
from services.fulfillment.domain.sscc import scanned_number
from services.fulfillment.store.shipments import Filter
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import non_negative
from services.kernel.text import optional_text
from services.runtime.wire import named_orders, number_cursor, page_size

MOST_DUE = 200
_BY_NUMBER = {pb.ShipmentState.Value(f"SHIPMENT_STATE_{state.name}"): state for state in State}
_TO_DO = (State.RELEASED, State.PICKED, State.PACKED)


def shipment_filter(request: pb.ListShipmentsRequest) -> Filter:
    """Which page of which shipments."""
    if request.state != pb.SHIPMENT_STATE_UNSPECIFIED and request.state not in _BY_NUMBER:
        raise InvalidArgument("STATE_UNKNOWN", f"{request.state} is no state of a shipment")
    return Filter(
        optional_text(request.order_id, "order_id"),
        optional_text(request.warehouse_id, "warehouse_id"),
        _BY_NUMBER.get(request.state),
        optional_text(request.number, "number"),
        number_cursor(request.cursor),
        page_size(request.limit),
        named_orders(request.order_ids),
        scanned_number(optional_text(request.tracking_number, "tracking_number")),
    )


def due_filter(request: pb.ListDueShipmentsRequest) -> tuple[str, State, int]:
    """Of which warehouse, in which state, and how many at most."""
    state = _BY_NUMBER.get(request.state)
    if state not in _TO_DO:
        raise InvalidArgument(
            "STATE_UNKNOWN", "the floor works on what is released, picked or packed: name one of these"
        )
    limit = min(non_negative(request.limit, "limit"), MOST_DUE) or 50
    return optional_text(request.warehouse_id, "warehouse_id"), state, limit
