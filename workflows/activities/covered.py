"""What of an order's goods its customer's credit covers, line by line and warehouse by warehouse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2

Units = Counter[tuple[str, str]]
"""(line, warehouse) → units."""


def units_of(lines: Sequence[pb.ReleaseLine]) -> int:
    """All units of these lines."""
    return sum(line.quantity for line in lines)


def totals(lines: Sequence[pb.ReleaseLine]) -> Units:
    """Units a line and warehouse."""
    return Counter({(line.line_id, line.warehouse_id): line.quantity for line in lines})


def carried(shipments: Iterable[pb.Shipment]) -> Units:
    """Units that shipments carry which were not cancelled, also those that have left."""
    units: Units = Counter()
    for shipment in shipments:
        if shipment.state != pb.SHIPMENT_STATE_CANCELLED:
            for line in shipment.lines:
                units[line.line_id, shipment.warehouse_id] += line.quantity
    return units


def quantities(order: orders_pb2.Order, units: Units) -> list[types_pb2.LineQuantity]:
    """Units a line, whatever the warehouse."""
    sums: Counter[str] = Counter()
    for (line_id, _), quantity in units.items():
        sums[line_id] += quantity
    return [
        types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=sums[line.line_id])
        for line in order.lines
        if sums[line.line_id]
    ]


def fitting(lines: Sequence[pb.ReleaseLine], released: Units, allowed: Mapping[str, int]) -> list[pb.ReleaseLine]:
    """The lines with what is released, and of the rest as many units as are allowed, from the first warehouse on."""
    sums: Counter[str] = Counter()
    for (line_id, _), quantity in released.items():
        sums[line_id] += quantity
    left = {line_id: units - sums[line_id] for line_id, units in allowed.items()}
    found = []
    for line in lines:
        before = released[line.line_id, line.warehouse_id]
        more = max(min(line.quantity - before, left.get(line.line_id, 0)), 0)
        left[line.line_id] = left.get(line.line_id, 0) - more
        if units := min(line.quantity, before) + more:
            fit = pb.ReleaseLine()
            fit.CopyFrom(line)
            fit.quantity = units
            found.append(fit)
    return found
