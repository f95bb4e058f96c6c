"""How far the units of a line have come that have not shipped, and which of them a cancellation takes: the cheapest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.kernel.invoicing import AT_ORDER
from services.orders.domain.order import Line, Order
from services.orders.domain.projection import LineProgress

STAGES = ("backordered", "allocated", "released", "picked", "packed")
"""From the cheapest to take back to the dearest."""


@dataclass(frozen=True, slots=True)
class Unshipped:
    """Units by stage; each counts in the last stage that it has reached. What is not allocated yet counts as backordered."""

    backordered: int = 0
    allocated: int = 0
    released: int = 0
    picked: int = 0
    packed: int = 0

    @property
    def units(self) -> int:
        """All of them."""
        return sum(units for _, units in self.by_stage())

    @property
    def at_warehouse(self) -> int:
        """Those that a warehouse must give back."""
        return self.released + self.picked + self.packed

    def by_stage(self) -> Iterator[tuple[str, int]]:
        """Stage and its units, the cheapest first."""
        return ((stage, getattr(self, stage)) for stage in STAGES)

    def cheapest(self, units: int) -> Unshipped:
        """So many of them, the cheapest first."""
        taken = {}
        for stage, there in self.by_stage():
            taken[stage] = min(units, there)
            units -= taken[stage]
        return Unshipped(**taken)


def gone_units(order: Order, so_far: LineProgress) -> int:
    """Units that have left or are invoiced: nothing cancels them. What is invoiced at order has not left by that."""
    return so_far.shipped if order.invoicing == AT_ORDER else max(so_far.shipped, so_far.invoiced)


def unshipped(order: Order, line: Line, so_far: LineProgress) -> Unshipped:
    """The units of a line that may be cancelled; facts of several services may have come in any order."""
    wanted = line.quantity
    gone = min(gone_units(order, so_far), wanted)
    packed = min(max(so_far.packed, gone), wanted)
    picked = min(max(so_far.picked, packed), wanted)
    released = min(max(so_far.released, picked), wanted)
    allocated = min(max(so_far.allocated, released), wanted)
    return Unshipped(wanted - allocated, allocated - released, released - picked, picked - packed, packed - gone)
