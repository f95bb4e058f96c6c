"""Gives what is free of a SKU to its queue, and what waiting orders hold without using it to those who may take it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from services.inventory.domain.allocation_policy import GIVES_UP_TO, class_of, peers
from services.inventory.domain.backorders import Fill, Frozen, Waiting


@dataclass(slots=True)
class _Shelves:
    """What is left while units are given out."""

    free: dict[str, int]
    frozen: list[Frozen]
    overdue: frozenset[str]
    held: dict[Frozen, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)

    def give(self, to: Waiting, most: int, *, may_take: bool) -> None:
        """Units to a backorder, from its cheapest warehouse on, what is free before what others hold."""
        wanted = min(most, self.missing[to.backorder_id])
        takes = self._takes(to) if may_take else []
        if to.is_whole and self._reach(to, takes) < to.quantity:
            return
        for place in _cheapest_first(to):
            wanted -= self._give_free(to, place, wanted)
        for frozen in takes:
            wanted -= self._take(frozen, to, wanted)

    def reach(self, group: Sequence[Waiting]) -> int:
        """Units that are free for any of these."""
        places = {place.warehouse_id for one in group for place in one.candidates}
        return sum(self.free.get(place, 0) for place in places)

    def _reach(self, to: Waiting, takes: Iterable[Frozen]) -> int:
        return self.reach([to]) + sum(self.held[one] for one in takes)

    def _takes(self, to: Waiting) -> list[Frozen]:
        """What it may take from others: of those that are overdue first, then of who would be filled last."""
        if to.reservation_id in self.overdue:
            return []
        places = {place.warehouse_id for place in to.candidates}
        found = [one for one in self.frozen if one.warehouse_id in places and gives_up(one, to)]
        found.sort(key=lambda one: one.backorder.turn, reverse=True)
        return sorted(found, key=lambda one: not one.is_overdue)

    def _give_free(self, to: Waiting, place: str, wanted: int) -> int:
        given = min(wanted, self.free.get(place, 0))
        if given:
            self.free[place] -= given
            self._filled(to, place, given)
        return given

    def _take(self, frozen: Frozen, to: Waiting, wanted: int) -> int:
        taken = min(wanted, self.held[frozen])
        if taken:
            self.held[frozen] -= taken
            self._filled(to, frozen.warehouse_id, taken, frozen)
        return taken

    def _filled(self, to: Waiting, place: str, units: int, given_up: Frozen | None = None) -> None:
        self.missing[to.backorder_id] -= units
        self.fills.append(Fill(to, place, units, given_up))


def distribute(
    queue: Iterable[Waiting],
    available: Mapping[str, int],
    frozen: Iterable[Frozen] = (),
    overdue: Collection[str] = (),
    *,
    is_fair_share: bool = False,
) -> tuple[Fill, ...]:
    """Give what is free (warehouse id → units) to the queue of its SKU, in turn; a part is better than nothing.

    A line that ships complete gets all of what it waits for or nothing. Each backorder takes from its cheapest warehouse first, then what
    others hold without using it, where they give it up. Reservations that are `overdue` have held goods, of whatever SKU, for too long:
    they are served last and take nothing. Backorders that wait for a person get nothing. Never gives more than there is.
    """
    held = list(frozen)
    late = frozenset(overdue) | {one.backorder.reservation_id for one in held if one.is_overdue}
    in_turn = sorted(
        (one for one in queue if not one.place.is_manual), key=lambda one: (one.reservation_id in late, one.turn)
    )
    shelves = _Shelves(dict(available), held, late)
    shelves.held = {one: one.quantity for one in held}
    shelves.missing = {one.backorder_id: one.quantity for one in in_turn}
    for _, group in groupby(in_turn, key=lambda one: (one.reservation_id in late, peers(one.place.priority))):
        _serve(shelves, list(group), is_fair_share=is_fair_share)
    return tuple(shelves.fills)


def _serve(shelves: _Shelves, group: Sequence[Waiting], *, is_fair_share: bool) -> None:
    wanted, free = sum(one.quantity for one in group), shelves.reach(group)
    if is_fair_share and free < wanted:
        for one, share in zip(group, shares(free, [each.quantity for each in group]), strict=True):
            shelves.give(one, share if share == one.quantity or not one.is_whole else 0, may_take=False)
    for one in group:
        shelves.give(one, one.quantity, may_take=True)


def shares(units: int, wanted: Sequence[int]) -> list[int]:
    """What each gets of too few units in proportion to what it wants, within a unit of it; together all of them."""
    total = sum(wanted)
    found, so_far, given = [], 0, 0
    for one in wanted:
        so_far += one
        reached = units * so_far // total
        found.append(reached - given)
        given = reached
    return found


def gives_up(frozen: Frozen, to: Waiting) -> bool:
    """Whether what an order holds without using it may go to a backorder of another one."""
    if frozen.backorder.reservation_id == to.reservation_id:
        return False
    if frozen.is_overdue:
        return True
    mine, others = class_of(frozen.backorder.place.priority), class_of(to.place.priority)
    return others in GIVES_UP_TO.get(mine, ()) and (mine != others or to.turn < frozen.backorder.turn)


def _cheapest_first(to: Waiting) -> list[str]:
    return [one.warehouse_id for one in sorted(to.candidates, key=lambda place: (place.cost_minor, place.warehouse_id))]
