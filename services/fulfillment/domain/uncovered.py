"""What shipments carry of an order beyond what is allocated for it, after goods were found missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.fulfillment.domain.recall import RecallLine
from services.fulfillment.domain.shipment import Shipment, State

Covered = Mapping[tuple[str, str], int]
"""(Line id, warehouse id) → units that are allocated there or have left."""


def nothing_of(shipments: Sequence[Shipment]) -> Covered:
    """No unit of any line that these shipments carry; services are no goods, and are always covered."""
    return {(line.line_id, each.warehouse_id): 0 for each in shipments if not each.is_service for line in each.lines}


def uncovered(
    covered: Covered, shipments: Sequence[Shipment]
) -> tuple[tuple[RecallLine, ...], dict[tuple[str, str], int]]:
    """What comes out of shipments that are not picked, the newest first, and what cannot: it is picked, or asked back already.

    Lines that are not in `covered` stay as they are.
    """
    taken: list[RecallLine] = []
    kept: dict[tuple[str, str], int] = {}
    for (line_id, warehouse_id), units in sorted(covered.items()):
        parts = [
            (each, line)
            for each in sorted(shipments, key=lambda shipment: -shipment.serial)
            if each.state is not State.CANCELLED and each.warehouse_id == warehouse_id
            for line in each.lines
            if line.line_id == line_id
        ]
        excess = max(0, sum(line.quantity for _, line in parts) - units)
        for each, line in parts:
            given = min(excess, line.quantity) if each.state is State.RELEASED and not each.recall_id else 0
            if given:
                taken.append(RecallLine(each.shipment_id, line_id, line.sku, line.description, given))
                excess -= given
        if excess:
            kept[line_id, warehouse_id] = excess
    return tuple(taken), kept
