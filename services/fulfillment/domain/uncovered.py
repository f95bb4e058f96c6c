"""What shipments carry of an order beyond what is allocated for it, after goods were found missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.fulfillment.domain.recall import RecallLine
from services.fulfillment.domain.shipment import Shipment, ShipmentLine, State

Covered = Mapping[tuple[str, str], int]
"""(Line id, warehouse id) → units that are allocated there or have left."""


@dataclass(frozen=True, slots=True)
class ShortUnits:
    """Units, positive, that the picker of a shipment did not find."""

    shipment_id: str
    line_id: str
    quantity: int


def nothing_of(shipments: Sequence[Shipment]) -> Covered:
    """No unit of any line that these shipments carry; services are no goods, and are always covered."""
    return {(line.line_id, each.warehouse_id): 0 for each in shipments if not each.is_service for line in each.lines}


def uncovered(
    covered: Covered, shipments: Sequence[Shipment], short: ShortUnits | None = None
) -> tuple[tuple[RecallLine, ...], dict[tuple[str, str], int]]:
    """What comes out of shipments that are not picked, and what cannot: it is picked, or asked back already.

    What is `short` leaves its shipment whatever is covered by now, for it is not there. Beyond that the newest shipment gives first, and the
    one that was short last. Lines that are not in `covered` stay as they are.
    """
    taken: list[RecallLine] = []
    kept: dict[tuple[str, str], int] = {}
    for (line_id, warehouse_id), units in sorted(covered.items()):
        parts = [
            (each, line)
            for each in sorted(shipments, key=lambda shipment: (_is_of(short, shipment), -shipment.serial))
            if each.state is not State.CANCELLED and each.warehouse_id == warehouse_id
            for line in each.lines
            if line.line_id == line_id
        ]
        given = [
            min(_free(each, line), short.quantity) if short and _is_of(short, each, line_id) else 0
            for each, line in parts
        ]
        excess = max(0, sum(line.quantity for _, line in parts) - units - sum(given))
        for at, (each, line) in enumerate(parts):
            more = min(excess, _free(each, line) - given[at])
            given[at] += more
            excess -= more
        taken += [
            RecallLine(each.shipment_id, line_id, line.sku, line.description, part)
            for (each, line), part in zip(parts, given, strict=True)
            if part
        ]
        if excess:
            kept[line_id, warehouse_id] = excess
    return tuple(taken), kept


def _is_of(short: ShortUnits | None, shipment: Shipment, line_id: str | None = None) -> bool:
    return short is not None and short.shipment_id == shipment.shipment_id and line_id in (None, short.line_id)


def _free(shipment: Shipment, line: ShipmentLine) -> int:
    """Units of it that may come out: nobody has picked them, and nobody asks for them."""
    return line.quantity if shipment.state is State.RELEASED and not shipment.recall_id else 0
