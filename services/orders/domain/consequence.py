"""One consequence: what a cancellation or a closing does to units, stock, money and mails; what is previewed is kept with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from services.kernel.money import Money
from services.orders.domain.cancelled_units import Units, unshipped_lines
from services.orders.domain.facts import Shipment
from services.orders.domain.fees import Fee, FeeTerms, fee_left, fee_of
from services.orders.domain.order import Line, Order, Totals
from services.orders.domain.projection import Progress
from services.orders.domain.unshipped import Unshipped

PREPAID = "prepaid"
AMOUNTS = ("merchandise", "discount", "freight", "tax", "total")
WHOLE_MAIL, PART_MAIL, CLOSED_MAIL = "order_cancelled", "units_cancelled", "units_closed"
_STATES = ("released", "picked", "packed")


@dataclass(frozen=True, slots=True)
class CancelledLine:
    """What becomes of a line: `taken` of its units are cancelled, by stage; `left` stay wanted, shipped ones included.

    `kept` were to be cancelled and are not: their warehouse keeps them. `freed` units of stock can go to others.
    """

    line_id: str
    sku: str
    description: str
    ordered: int
    taken: Unshipped
    left: int
    freed: int
    kept: int = 0

    @property
    def cancelled(self) -> int:
        """Units that are cancelled by it."""
        return self.taken.units

    def keeping(self, kept: int, *, is_stock: bool) -> CancelledLine:
        """The line when its warehouse keeps so many of them: those that would have cost most to take back."""
        taken = self.taken.cheapest(self.taken.units - kept)
        freed = taken.units - taken.backordered if is_stock else 0
        return replace(self, taken=taken, left=self.left + kept, freed=freed, kept=self.kept + kept)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a cancellation does, or a closing where it `is_closing`. Amounts are by how much the order is less, `total_after` what it comes to then.

    `shipments` are the numbers of those whose warehouse is asked to give units back. `released_credit` is what the customer's credit
    gets back, None while nobody knows; `freed_cash` what is held for the order and no longer needed for it or for the `fee`, which is
    refunded unless the customer `keeps_cash` on its account. `mails` are the kinds that go.
    """

    is_whole: bool
    lines: tuple[CancelledLine, ...]
    shipments: tuple[str, ...]
    merchandise: Money
    discount: Money
    freight: Money
    tax: Money
    total: Money
    total_after: Money
    released_credit: Money | None
    freed_cash: Money
    mails: tuple[str, ...]
    is_closing: bool = False
    fee: Fee | None = None
    keeps_cash: bool = False

    @property
    def refund(self) -> Money:
        """What is owed back to whoever paid."""
        return Money.zero(self.freed_cash.currency) if self.keeps_cash else self.freed_cash

    @property
    def cancelled(self) -> dict[str, int]:
        """Line id → units that are cancelled."""
        return {line.line_id: line.cancelled for line in self.lines}

    @property
    def freed_stock(self) -> dict[str, int]:
        """Line id → units of stock that others can have."""
        return {line.line_id: line.freed for line in self.lines}

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "currency": self.total.currency,
            "is_whole": self.is_whole,
            "is_closing": self.is_closing,
            "lines": [asdict(line) for line in self.lines],
            "shipments": list(self.shipments),
            **{name: getattr(self, name).minor for name in (*AMOUNTS, "total_after", "freed_cash")},
            "released_credit": self.released_credit.minor if self.released_credit is not None else None,
            "mails": list(self.mails),
            "fee": self.fee.document() if self.fee else None,
            **({"keeps_cash": True} if self.keeps_cash else {}),
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Consequence:
        """From what document() gave."""
        currency, credit = kept["currency"], kept["released_credit"]
        amounts = {name: Money(kept[name], currency) for name in (*AMOUNTS, "total_after", "freed_cash")}
        return cls(
            is_whole=kept["is_whole"],
            is_closing=kept.get("is_closing", False),
            lines=tuple(CancelledLine(**{**line, "taken": Unshipped(**line["taken"])}) for line in kept["lines"]),
            shipments=tuple(kept["shipments"]),
            released_credit=Money(credit, currency) if credit is not None else None,
            mails=tuple(kept["mails"]),
            fee=Fee.of(kept["fee"], currency) if kept.get("fee") else None,
            keeps_cash=kept.get("keeps_cash", False),
            **amounts,
        )


def consequence(
    order: Order,
    after: Order | None,
    progress: Progress,
    units: Units,
    committed: Money | None,
    *,
    is_closing: bool = False,
    fees: FeeTerms | None = None,
) -> Consequence:
    """What cancelling `units` does now: `after` is the version that it makes, None when all of the order ends.

    `committed` is what billing holds of the customer's credit for the order, None when it is away. A closing has no fee.
    """
    there = unshipped_lines(order, progress)
    lines = tuple(_line(line, there[line.line_id].cheapest(units.get(line.line_id, 0))) for line in order.lines)
    is_nothing = not any(line.cancelled for line in lines)
    zero = Money.zero(order.currency)
    less = _less(order.totals, order.totals if is_nothing else after.totals if after else None, zero)
    total_after = order.totals.total - less["total"]
    taken = {line.line_id: line.taken for line in lines}
    fee = None if is_closing else fee_of(order, taken, fees, less["merchandise"], less["discount"])
    return Consequence(
        is_whole=after is None and not is_nothing,
        lines=lines,
        shipments=() if is_nothing else _asked_back(progress.shipments.values(), lines, is_whole=after is None),
        **less,
        total_after=total_after,
        released_credit=None if committed is None else _credit(order, committed, less["total"], is_whole=after is None),
        freed_cash=zero if is_nothing else _freed_cash(progress, total_after, fee, is_whole=after is None),
        mails=() if is_nothing else (WHOLE_MAIL if after is None else CLOSED_MAIL if is_closing else PART_MAIL,),
        is_closing=is_closing,
        fee=fee,
        keeps_cash=False,
    )


def settled(asked: Consequence, order: Order, after: Order, progress: Progress, units: Units) -> Consequence:
    """The consequence once the warehouses have answered: `units` go of what was asked, and `after` is the version that they make.

    Where nothing is kept it is what was asked, to the last figure; the cash that becomes free is that of now.
    """
    of_stock = {line.line_id: line.kind != "service" for line in order.lines}
    kept = {line.line_id: line.cancelled - units.get(line.line_id, 0) for line in asked.lines}
    freed = _freed_cash(progress, after.totals.total, asked.fee, is_whole=False)
    if not any(kept.values()) and after.totals.total == asked.total_after:
        return replace(asked, freed_cash=freed)
    lines = tuple(line.keeping(kept[line.line_id], is_stock=of_stock[line.line_id]) for line in asked.lines)
    less = _less(order.totals, after.totals, Money.zero(order.currency))
    credit = asked.released_credit
    taken = {line.line_id: line.taken for line in lines}
    fee = fee_left(asked.fee, order, taken, less["merchandise"], less["discount"])
    return replace(
        asked,
        lines=lines,
        merchandise=less["merchandise"],
        discount=less["discount"],
        freight=less["freight"],
        tax=less["tax"],
        total=less["total"],
        total_after=after.totals.total,
        released_credit=None if credit is None else min(credit, less["total"]),
        freed_cash=_freed_cash(progress, after.totals.total, fee, is_whole=False),
        fee=fee,
    )


def _line(line: Line, taken: Unshipped) -> CancelledLine:
    return CancelledLine(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        ordered=line.ordered,
        taken=taken,
        left=line.quantity - taken.units,
        freed=taken.units - taken.backordered if line.kind != "service" else 0,
    )


def _less(before: Totals, after: Totals | None, zero: Money) -> dict[str, Money]:
    """Amount → how much less the order has of it."""
    return {name: getattr(before, name) - (getattr(after, name) if after else zero) for name in AMOUNTS}


def _credit(order: Order, committed: Money, less: Money, *, is_whole: bool) -> Money:
    """What credit gets back: nothing where the order has none of it, for its money was here or is on a card."""
    if order.payment_method == PREPAID or order.pays_by_card or order.is_paid_at_till:
        return Money.zero(committed.currency)
    return committed if is_whole else min(committed, less)


def _freed_cash(progress: Progress, total_after: Money, fee: Fee | None, *, is_whole: bool) -> Money:
    """Cash for the order that no invoice of it will need any more, nor the fee; of one that ends what was paid on its invoices, too."""
    due = fee.due.minor if fee else 0
    if is_whole:
        freed = progress.received_minor
    else:
        freed = progress.held_minor - max(total_after.minor - sum(one.total_minor for one in progress.bills), 0)
    return Money(max(freed - due, 0), total_after.currency)


def _asked_back(shipments: Iterable[Shipment], lines: Sequence[CancelledLine], *, is_whole: bool) -> tuple[str, ...]:
    """Numbers of the shipments that give units back: the cheapest units first, of those the newest shipment first.

    A whole order stops all of them.
    """
    there = sorted((one for one in shipments if one.state in _STATES), key=_dearest_last)
    if is_whole:
        return tuple(one.number for one in there)
    missing = {line.line_id: line.taken.at_warehouse for line in lines}
    found = []
    for one in there:
        given = {line.line_id: min(missing.get(line.line_id, 0), line.quantity) for line in one.lines}
        missing = {line_id: units - given.get(line_id, 0) for line_id, units in missing.items()}
        if any(given.values()):
            found.append(one.number)
    return tuple(found)


def _dearest_last(shipment: Shipment) -> tuple[int, int, str]:
    serial = shipment.number.rpartition("-")[2]
    return _STATES.index(shipment.state), -int(serial) if serial.isdigit() else 0, shipment.number
