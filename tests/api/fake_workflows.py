"""A small Temporal: order workflows that answer at once, or are away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from workflows.messages import Acknowledged, CancelOrder, CancelOutcome, ClearanceRefresh, OrderRef, Receipt


class FakeWorkflows:
    """Order workflows that answer at once, or are away; `on_place` does to the order what the saga would."""

    def __init__(self) -> None:
        self.is_away = False
        self.lost: set[str] = set()
        self.placed: list[OrderRef] = []
        self.cancelled: list[tuple[str, CancelOrder]] = []
        self.refreshed: list[tuple[str, str, str]] = []
        self.on_place: Callable[[OrderRef], None] | None = None
        self.on_cancel: Callable[[str, CancelOrder], CancelOutcome] | None = None
        self.on_refresh: Callable[[str, str], None] | None = None

    async def place(self, order: OrderRef, timeout: timedelta) -> Receipt | None:
        if self.is_away:
            return None
        self.placed.append(order)
        if self.on_place:
            self.on_place(order)
        return Receipt("accepted")

    async def is_running(self, number: str) -> bool:
        return number not in self.lost

    async def cancel(self, number: str, request: CancelOrder, timeout: timedelta) -> CancelOutcome | None:
        if self.is_away:
            return None
        self.cancelled.append((number, request))
        return self.on_cancel(number, request) if self.on_cancel else CancelOutcome(is_cancelled=True)

    async def refresh(
        self, number: str, update: str, refresh: ClearanceRefresh, update_id: str, timeout: timedelta
    ) -> Acknowledged | None:
        if self.is_away:
            return None
        self.refreshed += [(number, update, refresh.subject_id)]
        if self.on_refresh:
            self.on_refresh(number, refresh.subject_id)
        return Acknowledged("waiting")
