"""The ledger of promises: every day that was promised for units, and whether it was kept, broken, moved or withdrawn."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.orders.domain.mails.mail import Promise

ACCEPTANCE, CHANGE, SUPPLY_CHANGE, FILL, SOURCING = "acceptance", "change", "supply_change", "fill", "sourcing"
GIVEN_BY = (ACCEPTANCE, CHANGE, SUPPLY_CHANGE, FILL, SOURCING)
OPEN, KEPT, BROKEN, MOVED, WITHDRAWN = "open", "kept", "broken", "moved", "withdrawn"
OUTCOMES = (OPEN, KEPT, BROKEN, MOVED, WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Given:
    """Units promised for a day; that is empty where units lost theirs. `first_on` is the first day they were promised for."""

    line_id: str
    quantity: int
    promised_on: str
    first_on: str
    promise_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """Units of a promise that is open no more, and why."""

    given: Given
    quantity: int
    outcome: str
    moved_to: str = ""
    ended_on: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LedgerChange:
    """What becomes of a ledger: promises that end, in whole or in part, and new ones."""

    ended: tuple[Ended, ...] = ()
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptPromise:
    """A promise as people read it, with its order."""

    promise_id: str
    order_id: str
    line_id: str
    sku: str
    quantity: int
    promised_on: str
    first_on: str
    given_at: datetime
    given_by: str
    reason: str
    outcome: str
    ended_at: datetime | None
    ended_on: str
    moved_to: str
    why: str
    order_number: str = ""
    customer_id: str = ""
    customer_name: str = ""

    def is_late_on(self, today: str) -> bool:
        """Whether it is open and its day has passed."""
        return self.outcome == OPEN and "" < self.promised_on < today


@dataclass(frozen=True, slots=True)
class PromiseFilter:
    """Which promises are asked for; empty is any. `is_late` are open ones whose day is before `today`."""

    order_id: str = ""
    sku: str = ""
    outcome: str = ""
    given_by: str = ""
    is_late: bool = False
    today: str = ""


@dataclass(frozen=True, slots=True)
class OnTime:
    """Units of promises: delivered in a span of days, of them in time by their last and by their first promise; open and late now."""

    delivered: int
    kept: int
    kept_first: int
    open: int
    late: int
    moved_later: int


def follow(kept: Sequence[Given], promises: Sequence[Promise], done: Mapping[tuple[str, str], int]) -> LedgerChange:
    """What makes the open promises of a ledger (`kept`) those that an order has now, less the units that are `done`.

    `done` is (line id, promised day) → units delivered. Units keep their promise where the day is the same; the others move in the
    order of their days, and keep the day they were first promised for. Units without a day are no promise unless they had one.
    """
    wanted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in promises:
        wanted[one.line_id][one.promised_on] += one.quantity
    for (line_id, day), units in sorted(done.items()):
        _take(wanted[line_id], day, units)
    reasons = {(one.line_id, one.promised_on): one.reference for one in promises if one.is_waiting}
    by_line: defaultdict[str, list[Given]] = defaultdict(list)
    for given in sorted(kept, key=lambda each: (_last(each.promised_on), each.promise_id)):
        by_line[given.line_id].append(given)
    ended: list[Ended] = []
    new: list[Given] = []
    for line_id in sorted({*wanted, *by_line}):
        for was, to, units in _pairs(*_differences(by_line[line_id], wanted[line_id])):
            reason = reasons.get((line_id, to), "") if to is not None else ""
            if was is not None:
                outcome = WITHDRAWN if to is None else MOVED
                ended.append(Ended(was, units, outcome, moved_to=to or "", why=reason))
            if to is not None and (to or was is not None):
                new.append(Given(line_id, units, to, was.first_on if was else to, reason=reason))
    return LedgerChange(tuple(ended), tuple(new))


def _last(day: str) -> str:
    """Sorts days, none last."""
    return day or "~"


def _take(wanted: Counter[str], day: str, units: int) -> None:
    """Take units off the day, then off the earliest days."""
    for each in (day, *sorted(wanted, key=_last)):
        taken = min(units, wanted[each])
        wanted[each] -= taken
        units -= taken


def _differences(
    mine: Sequence[Given], wanted: Counter[str]
) -> tuple[deque[tuple[Given, int]], deque[tuple[str, int]]]:
    """Units that lose their day, and days that get units, each in the order of the days."""
    lost: deque[tuple[Given, int]] = deque()
    left = Counter(wanted)
    for one in mine:
        stays = min(one.quantity, left[one.promised_on])
        left[one.promised_on] -= stays
        if one.quantity > stays:
            lost.append((one, one.quantity - stays))
    return lost, deque((day, left[day]) for day in sorted(left, key=_last) if left[day] > 0)


def _pairs(
    lost: deque[tuple[Given, int]], gained: deque[tuple[str, int]]
) -> Iterator[tuple[Given | None, str | None, int]]:
    """Which units go to which day; None for those that go nowhere, and for days that others get."""
    while lost and gained:
        (was, left), (day, units) = lost.popleft(), gained.popleft()
        both = min(left, units)
        yield was, day, both
        if left > both:
            lost.appendleft((was, left - both))
        if units > both:
            gained.appendleft((day, units - both))
    yield from ((was, None, left) for was, left in lost)
    yield from ((None, day, units) for day, units in gained)


def settle(kept: Sequence[Given], delivered: Mapping[str, int], promised_on: str, day: str) -> tuple[Ended, ...]:
    """What a delivery of a day ends: line id → units, those of the shipment's promised day first, then the earliest.

    Kept is what comes by its promised day; units that had lost their day are kept if they come by the first they had.
    """
    ended = []
    left = Counter(delivered)
    for one in sorted(
        kept, key=lambda each: (each.promised_on != promised_on, _last(each.promised_on), each.promise_id)
    ):
        if taken := min(left[one.line_id], one.quantity):
            left[one.line_id] -= taken
            due = one.promised_on or one.first_on
            outcome = KEPT if day <= due else BROKEN
            ended.append(Ended(one, taken, outcome, ended_on=day, why=_why(one, due, day)))
    return tuple(ended)


def _why(one: Given, due: str, day: str) -> str:
    late = (date.fromisoformat(day) - date.fromisoformat(due)).days
    words = f"delivered {late} {'day' if late == 1 else 'days'} late" if late > 0 else "delivered in time"
    return f"{words}, first promised for {one.first_on}" if one.first_on != one.promised_on else words
