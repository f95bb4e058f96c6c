"""What a wave's picker takes from where: its pick list, by bin, then SKU."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from oms.fulfillment.v1 import fulfillment_pb2 as pb

_DIGITS = re.compile(r"([0-9]+)")


@dataclass(slots=True)
class PickListLine:
    """Units of a SKU to take from a bin; `takes` is shipment number → units of them. The bin is empty where nobody has said."""

    bin: str
    sku: str
    description: str
    takes: dict[str, int] = field(default_factory=dict)

    @property
    def quantity(self) -> int:
        """Units in all."""
        return sum(self.takes.values())


def pick_list(shipments: Iterable[pb.Shipment], bins: Mapping[str, str]) -> list[PickListLine]:
    """What is to be picked of these shipments, as somebody walks past it; `bins` is SKU → bin. What lies nowhere known comes last."""
    lines: dict[str, PickListLine] = {}
    for shipment in to_pick(shipments):
        for line in shipment.lines:
            found = lines.setdefault(line.sku, PickListLine(bins.get(line.sku, ""), line.sku, line.description))
            found.takes[shipment.number] = found.takes.get(shipment.number, 0) + line.quantity
    return sorted(lines.values(), key=lambda one: (not one.bin, way(one.bin), one.sku))


def to_pick(shipments: Iterable[pb.Shipment]) -> list[pb.Shipment]:
    """Those that nobody has picked."""
    return [one for one in shipments if one.state == pb.SHIPMENT_STATE_RELEASED]


def way(name: str) -> tuple[tuple[int, int, str], ...]:
    """What bins are sorted by, so that A-2 comes before A-10."""
    parts = [part for part in _DIGITS.split(name) if part]
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts)
