"""Asking the warehouse for released units back: what can be asked for, and what leaves its shipments when it says yes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.fulfillment.domain.packages import without as packages_without
from services.fulfillment.domain.shipment import LEFT, Shipment, ShipmentLine, State, cancel
from services.kernel.errors import Refused

Part = tuple[Shipment, ShipmentLine]
"""A line of a shipment, with it."""


class RecallState(StrEnum):
    """Where a recall stands; it is answered once."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RecallLine:
    """Units of an order line that are asked out of a shipment, positive."""

    shipment_id: str
    line_id: str
    sku: str
    description: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Recall:
    """A question to the warehouse and its answer; `change_id` is the change order, or the hold, that no longer wants the units."""

    recall_id: str
    order_id: str
    order_number: str
    change_id: str
    requested_at: datetime
    lines: tuple[RecallLine, ...]
    state: RecallState = RecallState.PENDING
    reason: str = ""
    answered_at: datetime | None = None

    @property
    def is_of_hold(self) -> bool:
        """Whether it is asked because the order is held, and not because less is wanted."""
        return self.change_id.startswith("hold_")

    @property
    def shipment_ids(self) -> frozenset[str]:
        """The shipments it concerns."""
        return frozenset(line.shipment_id for line in self.lines)


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be asked back, and why it cannot be, as a stable word and a sentence; empty when it can."""

    lines: tuple[RecallLine, ...] = ()
    reason: str = ""
    message: str = ""


def picked_units(shipments: Sequence[Shipment]) -> dict[str, int]:
    """Line id → units that are picked or gone: those to keep when all that is not picked is asked back."""
    kept: Counter[str] = Counter()
    for each in shipments:
        if each.state not in (State.RELEASED, State.CANCELLED):
            kept.update({line.line_id: line.quantity for line in each.lines})
    return dict(kept)


def demand(keep: Mapping[str, int], shipments: Sequence[Shipment]) -> Demand:
    """What shipments that are not picked yet carry beyond the units to keep, the newest shipment first.

    `keep` is line id → units over all shipments, those that have left included; a line that is missing keeps none.
    """
    asked: list[RecallLine] = []
    for line_id, parts in sorted(_by_line(shipments).items()):
        excess = sum(line.quantity for _, line in parts) - keep.get(line_id, 0)
        lines = _not_picked(parts, excess)
        missing = excess - sum(line.quantity for line in lines)
        if missing > 0:
            return _too_late(parts, line_id, missing, keep.get(line_id, 0))
        asked += lines
    return Demand(tuple(asked))


def _by_line(shipments: Iterable[Shipment]) -> dict[str, list[Part]]:
    """Line id → its parts in shipments that were not cancelled, the newest shipment first."""
    found: dict[str, list[Part]] = {}
    for each in sorted(shipments, key=lambda shipment: -shipment.serial):
        for line in each.lines if each.state is not State.CANCELLED else ():
            found.setdefault(line.line_id, []).append((each, line))
    return found


def _not_picked(parts: Iterable[Part], excess: int) -> list[RecallLine]:
    asked: list[RecallLine] = []
    for each, line in parts:
        units = min(excess, line.quantity) if each.state is State.RELEASED else 0
        if units > 0:
            asked.append(RecallLine(each.shipment_id, line.line_id, line.sku, line.description, units))
            excess -= units
    return asked


def _too_late(parts: Iterable[Part], line_id: str, missing: int, keep: int) -> Demand:
    left = sum(line.quantity for each, line in parts if each.state in LEFT)
    if keep < left:
        return Demand((), "BELOW_SHIPPED", f"{left} units of line {line_id} have left: {keep} cannot be kept of them")
    return Demand((), "BELOW_PICKED", f"{missing} units of line {line_id} that are to come back are picked already")


_DEAREST_LAST = (State.RELEASED, State.PICKED, State.PACKED)
"""States of shipments that may give units back, those first whose units cost least to take back."""


def of_cancellation(keep: Mapping[str, int], shipments: Sequence[Shipment]) -> tuple[tuple[RecallLine, ...], ...]:
    """What a cancellation asks of each shipment, none empty: the cheapest units first, of those the newest shipment first.

    `keep` is as in demand(). What has left stays: nothing is refused for it.
    """
    asked: dict[str, list[RecallLine]] = {}
    for line_id, parts in sorted(_by_line(shipments).items()):
        excess = sum(line.quantity for _, line in parts) - keep.get(line_id, 0)
        for each, line in (part for state in _DEAREST_LAST for part in parts if part[0].state is state):
            units = min(max(excess, 0), line.quantity)
            excess -= units
            if units:
                back = RecallLine(each.shipment_id, line.line_id, line.sku, line.description, units)
                asked.setdefault(each.shipment_id, []).append(back)
    return tuple(tuple(lines) for _, lines in sorted(asked.items()))


def released_at(shipments: Iterable[Shipment], places: Collection[str]) -> tuple[tuple[RecallLine, ...], int]:
    """All that these warehouses have and did not pick, and how many units more of that kind another recall asks for."""
    there = [each for each in shipments if each.state is State.RELEASED and each.warehouse_id in places]
    free = (each for each in there if not each.recall_id)
    lines = (
        RecallLine(each.shipment_id, line.line_id, line.sku, line.description, line.quantity)
        for each in free
        for line in each.lines
    )
    return tuple(lines), sum(line.quantity for each in there if each.recall_id for line in each.lines)


def carried_units(shipments: Iterable[Shipment]) -> dict[str, int]:
    """Line id → units in shipments that were not cancelled, those that have left included."""
    units: Counter[str] = Counter()
    for line_id, parts in _by_line(shipments).items():
        units[line_id] += sum(line.quantity for _, line in parts)
    return dict(units)


def answered(recall: Recall, *, is_acknowledged: bool, reason: str, now: datetime) -> Recall:
    """The recall with its answer. Refuses RECALL_ANSWERED: the first word counts."""
    if recall.state is not RecallState.PENDING:
        why = f" ({recall.reason})" if recall.reason else ""
        raise Refused("RECALL_ANSWERED", f"the recall is {recall.state} already{why}: reload it", state=recall.state)
    state = RecallState.ACKNOWLEDGED if is_acknowledged else RecallState.REFUSED
    return replace(recall, state=state, reason=reason, answered_at=max(now, recall.requested_at))


def without(shipment: Shipment, recall: Recall, now: datetime) -> Shipment:
    """The shipment once it has given the units back; one that would be empty is cancelled and keeps its list."""
    taken: Counter[tuple[str, str]] = Counter()
    for line in recall.lines:
        if line.shipment_id == shipment.shipment_id:
            taken[line.line_id, line.sku] += line.quantity
    lines = tuple(
        _less(line, taken[line.line_id, line.sku])
        for line in shipment.lines
        if line.quantity > taken[line.line_id, line.sku]
    )
    if not lines:
        return replace(cancel(shipment, now), recall_id="")
    packages = packages_without(shipment.packages, lines)
    return replace(shipment, lines=lines, packages=packages, recall_id="")


def _less(line: ShipmentLine, units: int) -> ShipmentLine:
    left = line.quantity - units
    return replace(line, quantity=left, picked_quantity=min(line.picked_quantity, left))
