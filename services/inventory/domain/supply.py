"""Supply that is announced: how it may be changed, what goods that arrive are of, who will get it, and what is left to promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.inventory.domain.backorders import Fill, Supply, Waiting, arrived
from services.inventory.domain.distribution import distribute
from services.kernel.errors import InvalidArgument, Refused

PURCHASE_ORDER = "purchase_order"
SUPPLY_KINDS = (PURCHASE_ORDER, "work_order", "transfer")
ANNOUNCED, CHANGED, CANCELLED, RECEIVED = "announced", "changed", "cancelled", "received"


@dataclass(frozen=True, slots=True)
class ExpectedReceipt:
    """Supply under a reference; of `quantity` units `remaining` are still to come and `cancelled` never will."""

    expected_receipt_id: str
    warehouse_id: str
    sku: str
    kind: str
    reference: str
    quantity: int
    remaining: int
    cancelled: int
    expected_on: str

    @property
    def received(self) -> int:
        """Units that have come."""
        return self.quantity - self.remaining - self.cancelled

    @property
    def supply(self) -> Supply:
        """What is still to come, as the queue sees it."""
        return Supply(self.expected_receipt_id, self.warehouse_id, self.remaining, self.expected_on, self.reference)


@dataclass(frozen=True, slots=True)
class SupplyChange:
    """What became of an expected receipt."""

    verb: str
    changed_at: datetime
    changed_by: str
    reason: str
    expected_on: str
    remaining: int


@dataclass(frozen=True, slots=True)
class WantedChange:
    """A day and a quantity that an expected receipt is to have: empty and 0 leave it as it is."""

    expected_receipt_id: str
    expected_on: str
    quantity: int
    reason: str
    changed_by: str


def changed(receipt: ExpectedReceipt, *, expected_on: str, quantity: int, kind: str = "") -> ExpectedReceipt:
    """The receipt with another day, quantity or kind; one that was cancelled comes again. Refused FEWER_THAN_RECEIVED."""
    if quantity < receipt.received:
        raise Refused(
            "FEWER_THAN_RECEIVED",
            f"{receipt.received} units of {receipt.reference or receipt.expected_receipt_id} have come already: "
            f"announce at least that many, or cancel the rest",
        )
    return replace(
        receipt,
        kind=kind or receipt.kind,
        quantity=quantity,
        remaining=quantity - receipt.received,
        cancelled=0,
        expected_on=expected_on,
    )


def rescheduled(receipt: ExpectedReceipt, wanted: WantedChange) -> ExpectedReceipt:
    """The receipt as a person wants it. InvalidArgument NOTHING_TO_CHANGE where nothing is said; Refused NOTHING_TO_COME where no unit is left."""
    if not wanted.expected_on and not wanted.quantity:
        raise InvalidArgument("NOTHING_TO_CHANGE", "say another day, another quantity or both")
    if not receipt.remaining and not wanted.quantity:
        raise _nothing_to_come(receipt)
    quantity = wanted.quantity or receipt.quantity - receipt.cancelled
    return changed(receipt, expected_on=wanted.expected_on or receipt.expected_on, quantity=quantity)


def cancelled(receipt: ExpectedReceipt) -> ExpectedReceipt:
    """The receipt without what was still to come; Refused NOTHING_TO_COME where that is nothing."""
    if not receipt.remaining:
        raise _nothing_to_come(receipt)
    return replace(receipt, remaining=0, cancelled=receipt.cancelled + receipt.remaining)


def _nothing_to_come(receipt: ExpectedReceipt) -> Refused:
    named = receipt.reference or receipt.expected_receipt_id
    return Refused(
        "NOTHING_TO_COME",
        f"nothing more is to come of {named}: it has come or was cancelled; change its quantity to expect more of it",
    )


def taken_of(supply: Sequence[Supply], quantity: int, named: Supply | None) -> dict[str, int]:
    """Expected receipt id → units of it that have now come: of the named one alone, else of those that were to come first."""
    return arrived([named] if named is not None else supply, quantity)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Receipts, the first to come first, each with who gets units of it; what is left to promise by day; and what nothing brings."""

    receipts: tuple[tuple[ExpectedReceipt, str, tuple[Fill, ...]], ...]
    atp: tuple[tuple[str, int], ...]
    uncovered: int


def outlook(
    receipts: Sequence[ExpectedReceipt],
    queue: Sequence[Waiting],
    free: Mapping[str, int],
    today: str,
    place: str = "",
    *,
    is_fair_share: bool = False,
) -> Outlook:
    """What happens if everything comes as announced: what is free (warehouse id → units) and each receipt in turn serve the queue.

    A receipt whose day has passed counts today. With a `place` the answer is about that warehouse; the queue is served by all. What
    waiting orders hold without using it stays theirs.
    """
    now = distribute(queue, free, is_fair_share=is_fair_share)
    left, waiting = dict(free), _after(queue, now)
    for one in now:
        left[one.warehouse_id] -= one.quantity
    total = sum(units for at, units in left.items() if place in ("", at))
    rows, atp = [], {today: total}
    for receipt in receipts:
        due_on = max(receipt.expected_on, today)
        takers = distribute(waiting, {receipt.warehouse_id: receipt.remaining}, is_fair_share=is_fair_share)
        waiting = _after(waiting, takers)
        if place in ("", receipt.warehouse_id):
            rows.append((receipt, due_on, takers))
            total += receipt.remaining - sum(one.quantity for one in takers)
            atp[due_on] = total
    return Outlook(tuple(rows), tuple(_steps(atp)), sum(one.quantity for one in waiting))


def _after(queue: Sequence[Waiting], fills: Sequence[Fill]) -> list[Waiting]:
    """The queue without what was filled."""
    given: Counter[str] = Counter()
    for one in fills:
        given[one.backorder.backorder_id] += one.quantity
    return [
        replace(one, quantity=one.quantity - given[one.backorder_id])
        for one in queue
        if one.quantity > given[one.backorder_id]
    ]


def remaining_queue(queue: Sequence[Waiting], free: Mapping[str, int], *, is_fair_share: bool) -> list[Waiting]:
    """Who still waits once what is free (warehouse id → units) is given out."""
    return _after(queue, distribute(queue, free, is_fair_share=is_fair_share))


def _steps(atp: Mapping[str, int]) -> list[tuple[str, int]]:
    """The days on which the figure changes, the first one always."""
    steps: list[tuple[str, int]] = []
    for day, units in sorted(atp.items()):
        if not steps or steps[-1][1] != units:
            steps.append((day, units))
    return steps
