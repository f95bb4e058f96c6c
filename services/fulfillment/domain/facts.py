"""What fulfillment tells others: the members of each fact's detail.

shipments_released, shipments_cancelled: {"lines", "shipments": [shipment, …]}
shipment_picked, shipment_packed, shipment_shipped, shipment_delivered, shipment_exception: {"lines", "shipment"}
recall_answered: {"lines", "shipments": those the recall concerned, "recall_id", "change_id", "is_acknowledged", "reason"}

"lines" is order line → {"released", "picked", "packed", "shipped", "delivered"}: units over all shipments of the order that
were not cancelled, counted since the order began, so each count is at most the one before it and repeats do no harm.
A shipment's instants are RFC 3339 or empty, its promised_on is an ISO date or empty when no carrier has a rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.fulfillment.domain.recall import Recall, RecallState
from services.fulfillment.domain.shipment import Shipment, State

MILESTONES = ("released", "picked", "packed", "shipped", "delivered")
RELEASED = "shipments_released"
CANCELLED = "shipments_cancelled"
RECALL_ANSWERED = "recall_answered"
EXCEPTION = "shipment_exception"
KINDS = frozenset(
    {
        RELEASED,
        CANCELLED,
        RECALL_ANSWERED,
        EXCEPTION,
        "shipment_picked",
        "shipment_packed",
        "shipment_shipped",
        "shipment_delivered",
    }
)

_REACHED = {
    State.RELEASED: 1,
    State.PICKED: 2,
    State.PACKED: 3,
    State.SHIPPED: 4,
    State.DELIVERED: 5,
    State.CANCELLED: 0,
}
"""How many milestones a shipment in this state has behind it."""


def line_counts(shipments: Iterable[Shipment]) -> dict[str, dict[str, int]]:
    """Order line → milestone → units that have reached it; lines of cancelled shipments appear with what is left of them."""
    counts: dict[str, dict[str, int]] = {}
    for shipment in shipments:
        for line in shipment.lines:
            reached = counts.setdefault(line.line_id, dict.fromkeys(MILESTONES, 0))
            for milestone in MILESTONES[: _REACHED[shipment.state]]:
                reached[milestone] += line.quantity
    return counts


def milestone_kind(state: State) -> str:
    """The kind of the fact that a shipment reached this state."""
    return f"shipment_{state.value}"


def one_shipment(shipments: Iterable[Shipment], changed: Shipment) -> dict[str, Any]:
    """Detail of a milestone; `shipments` are all of the order, as they were or are: `changed` replaces its own entry."""
    current = [changed if each.shipment_id == changed.shipment_id else each for each in shipments]
    return {"lines": line_counts(current), "shipment": shipment_detail(changed)}


def several_shipments(shipments: Iterable[Shipment], changed: Iterable[Shipment]) -> dict[str, Any]:
    """Detail of a release or a cancellation; `shipments` are all of the order after it."""
    return {"lines": line_counts(shipments), "shipments": [shipment_detail(each) for each in changed]}


def recall_answered(shipments: Iterable[Shipment], recall: Recall) -> dict[str, Any]:
    """Detail of an answer; `shipments` are all of the order after it. A line that is in no shipment any more counts zeros."""
    current = list(shipments)
    lines = {line.line_id: dict.fromkeys(MILESTONES, 0) for line in recall.lines}
    return {
        "lines": {**lines, **line_counts(current)},
        "shipments": [shipment_detail(each) for each in current if each.shipment_id in recall.shipment_ids],
        "recall_id": recall.recall_id,
        "change_id": recall.change_id,
        "is_acknowledged": recall.state is RecallState.ACKNOWLEDGED,
        "reason": recall.reason,
    }


def shipment_detail(shipment: Shipment) -> dict[str, Any]:
    """A shipment as other services read it."""
    return {
        "shipment_id": shipment.shipment_id,
        "number": shipment.number,
        "state": shipment.state.value,
        "warehouse_id": shipment.warehouse_id,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "promised_on": shipment.promised_on.isoformat() if shipment.promised_on else "",
        "is_service": shipment.is_service,
        "shipped_at": _instant(shipment.shipped_at),
        "delivered_at": _instant(shipment.delivered_at),
        "exception_at": _instant(shipment.exception_at),
        "freight_cost_minor": shipment.freight_cost.minor if shipment.freight_cost else 0,
        "lines": [
            {"line_id": line.line_id, "sku": line.sku, "description": line.description, "quantity": line.quantity}
            for line in shipment.lines
        ],
    }


def _instant(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
