"""The event log: one entry a recorded change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded change: who, in which role, did what, why, and what it was before and after."""

    order_id: str
    sequence: int
    occurred_at: datetime
    who: str
    role: str
    what: str
    why: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
