"""Versions of an order that a change has replaced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.orders.domain.order import Order


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """The order as it was at a version; `change_id` replaced it at `replaced_at`."""

    order: Order
    change_id: str
    replaced_at: datetime
