"""Goods in quarantine: protobuf to domain and back, shapes checked."""

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory.domain.quarantine import OUTCOMES, Decision, Quarantined
from services.inventory.ending_quarantine import Ended
from services.inventory.wire import identity
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import positive
from services.kernel.text import optional_text, text
from services.runtime.wire import money


def decision(request: pb.DecideQuarantineRequest) -> Decision:
    """What was decided."""
    if request.outcome not in OUTCOMES:
        raise InvalidArgument(
            "OUTCOME_UNKNOWN", f"a quarantine ends by one of {', '.join(OUTCOMES)}, not {request.outcome[:40]!r}"
        )
    return Decision(
        identity(request.movement_id, "movement_id"),
        positive(request.quantity, "quantity"),
        request.outcome,
        text(request.reason, "reason", 500),
        optional_text(request.decided_by, "decided_by"),
    )


def decided(ended: Ended) -> pb.DecideQuarantineResponse:
    """What it came to."""
    return pb.DecideQuarantineResponse(
        decision_id=ended.decision_id,
        value=money(ended.value),
        left_quantity=ended.left,
        filled_quantity=sum(fill.quantity for fill in ended.fills),
        filled_order_ids=dict.fromkeys(fill.backorder.order_id for fill in ended.fills),
    )


def units_message(found: Quarantined) -> pb.QuarantinedUnits:
    """Units that are not decided yet."""
    return pb.QuarantinedUnits(
        movement_id=found.movement_id,
        warehouse_id=found.warehouse_id,
        sku=found.sku,
        disposition=found.disposition,
        quantity=found.left,
        value=money(found.value - found.decided_value),
        order_id=found.order_id,
        return_id=found.return_id,
        taken_at_micros=micros(found.taken_at),
        reason=found.reason,
    )
