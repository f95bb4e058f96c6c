"""The list of orders over all channels: what it may be narrowed by, a row, a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from services.kernel.money import Money
from services.orders.domain.status import Standing

ANY_HOLD = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewFilter:
    """What to show. `hold` is a hold type, or "any"; `needs` a role that must act; `q` part of a number, PO, reference or name, or a whole SKU
    or support case.

    `due_before` shows what should have happened before a day.
    """

    status: str = ""
    phase: str = ""
    channel: str = ""
    customer_id: str = ""
    hold: str = ""
    needs: str = ""
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    due_before: date | None = None
    q: str = ""


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """An order in the overview."""

    order_id: str
    number: str
    version: int
    phase: str
    channel: str
    channel_ref: str
    customer_id: str
    customer_name: str
    po_number: str
    placed_at: datetime
    changed_at: datetime
    total: Money
    standing: Standing


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Rows, and the cursor of the next page; empty at the end."""

    rows: tuple[OverviewRow, ...]
    next_cursor: str
