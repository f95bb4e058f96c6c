"""What fulfillment tells others: how far the lines of an order have come, and the shipments that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.fulfillment.domain.recall import Recall, RecallState
from services.fulfillment.domain.shipment import Shipment, State

MILESTONES = ("released", "picked", "packed", "shipped", "delivered")
STOPPED = "intercepted"
"""What units of a parcel have reached that its carrier has stopped on the way."""
RELEASED = "shipments_released"
CANCELLED = "shipments_cancelled"
RECALL_ANSWERED = "recall_answered"
EXCEPTION = "shipment_exception"
REVERSED = "shipment_reversed"
INTERCEPTED = "shipment_intercepted"
GOODS_DELIVERED = "goods_delivered"
RETURN_RECEIVED, RETURN_INSPECTED = "return_received", "return_inspected"
FOR_BILLING = frozenset({GOODS_DELIVERED})
"""What invoices that are due on delivery wait for; everything else is for orders."""
KINDS = frozenset(
    {
        RELEASED,
        CANCELLED,
        RECALL_ANSWERED,
        EXCEPTION,
        REVERSED,
        INTERCEPTED,
        RETURN_RECEIVED,
        RETURN_INSPECTED,
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


Counts = Mapping[str, Mapping[str, int]]
"""Order line → milestone → units over all shipments of the order that were not cancelled, counted since the order began: each
count is at most the one before it and repeats do no harm."""


@dataclass(frozen=True, slots=True)
class ShipmentChanged:
    """One shipment has reached a milestone or is in trouble."""

    lines: Counts
    shipment: Shipment


@dataclass(frozen=True, slots=True)
class ShipmentsChanged:
    """Shipments were released or cancelled together, or one has the goods of another."""

    lines: Counts
    shipments: tuple[Shipment, ...]


@dataclass(frozen=True, slots=True)
class RecallAnswered:
    """The warehouse's answer, and the shipments that the recall concerned; `waiting` recalls of the same change have none yet."""

    lines: Counts
    shipments: tuple[Shipment, ...]
    recall: Recall
    waiting: int = 0

    @property
    def is_acknowledged(self) -> bool:
        """Whether the units have left their shipments."""
        return self.recall.state is RecallState.ACKNOWLEDGED


def line_counts(shipments: Iterable[Shipment]) -> dict[str, dict[str, int]]:
    """Order line → milestone → units that have reached it; lines of cancelled shipments appear with what is left of them."""
    counts: dict[str, dict[str, int]] = {}
    for shipment in shipments:
        for line in shipment.lines:
            reached = counts.setdefault(line.line_id, dict.fromkeys((*MILESTONES, STOPPED), 0))
            reached[STOPPED] += line.quantity if shipment.is_intercepted else 0
            for milestone in MILESTONES[: _REACHED[shipment.state]]:
                reached[milestone] += line.quantity
    return counts


def milestone_kind(state: State) -> str:
    """The kind of the fact that a shipment reached this state."""
    return f"shipment_{state.value}"


def one_shipment(shipments: Iterable[Shipment], changed: Shipment) -> ShipmentChanged:
    """A milestone; `shipments` are all of the order, as they were or are: `changed` replaces its own entry."""
    current = [changed if each.shipment_id == changed.shipment_id else each for each in shipments]
    return ShipmentChanged(line_counts(current), changed)


def several_shipments(shipments: Iterable[Shipment], changed: Iterable[Shipment]) -> ShipmentsChanged:
    """A release, a cancellation or a reversal; `shipments` are all of the order after it."""
    return ShipmentsChanged(line_counts(shipments), tuple(changed))


def recall_answered(shipments: Iterable[Shipment], recall: Recall, waiting: int = 0) -> RecallAnswered:
    """An answer; `shipments` are all of the order after it. A line that is in no shipment any more counts zeros."""
    current = list(shipments)
    lines = {line.line_id: dict.fromkeys((*MILESTONES, STOPPED), 0) for line in recall.lines}
    concerned = tuple(each for each in current if each.shipment_id in recall.shipment_ids)
    return RecallAnswered({**lines, **line_counts(current)}, concerned, recall, waiting)
