"""What fulfillment tells of goods that come back, as orders reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.orders.domain.returns import InspectedUnits


@dataclass(frozen=True, slots=True)
class ReturnReceived:
    """What has come of a return: line id → units so far."""

    return_id: str
    number: str
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReturnInspected:
    """What an inspection of a return found."""

    return_id: str
    number: str
    inspection_id: str
    warehouse_id: str
    units: tuple[InspectedUnits, ...]
    inspected_by: str
