"""Fees for cancelling what is built to order: a part of its price by how far production is, as the policy says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from services.kernel.money import Money, UnitPrice, extend, share, tax_on
from services.kernel.tax import EXEMPT, TaxKind
from services.orders.domain.fee_ladders import FINISHED, NOT_STARTED, STARTED, FeeLadder
from services.orders.domain.order import ACCEPTED, Line, Order, Totals, totals
from services.orders.domain.unshipped import Unshipped

BUILD_TO_ORDER = "build_to_order"
_WORDS = {NOT_STARTED: "production not started", STARTED: "in production", FINISHED: "produced"}
_UNTAXED = TaxKind(EXEMPT, Decimal(0), "A cancellation fee is not taxed")


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """The ladder, the ids of the lines that are in production, and why no fee is charged where somebody waived it."""

    ladder: FeeLadder
    started: frozenset[str] = frozenset()
    waived_reason: str = ""


@dataclass(frozen=True, slots=True)
class FeeLine:
    """What cancelling `units` of a line costs: `percent` of what they come to, by the stage that they have reached."""

    line_id: str
    stage: str
    units: int
    percent: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Fee:
    """What cancelling costs. `due` is zero where it is waived."""

    lines: tuple[FeeLine, ...]
    tax: Money
    is_taxed: bool
    waived_reason: str = ""

    @property
    def net(self) -> Money:
        """Before tax."""
        return Money.total((line.amount for line in self.lines), self.tax.currency)

    @property
    def total(self) -> Money:
        """With tax."""
        return self.net + self.tax

    @property
    def due(self) -> Money:
        """What is charged."""
        return Money.zero(self.tax.currency) if self.waived_reason else self.total

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "lines": [{**asdict(line), "amount": line.amount.minor} for line in self.lines],
            "tax": self.tax.minor,
            "is_taxed": self.is_taxed,
            "waived_reason": self.waived_reason,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any], currency: str) -> Fee:
        """From what document() gave."""
        lines = tuple(FeeLine(**{**line, "amount": Money(line["amount"], currency)}) for line in kept["lines"])
        return cls(lines, Money(kept["tax"], currency), kept["is_taxed"], kept["waived_reason"])


def fee_of(
    order: Order, taken: Mapping[str, Unshipped], terms: FeeTerms | None, goods: Money, discount: Money
) -> Fee | None:
    """What cancelling these units costs; None where no fee is due. Their prices lose their part of the `discount` that goes with the
    cancelled `goods`. What a marketplace or a till took the money for has no fee: nobody is billed again. Nor has an order whose tax
    nobody knows yet: its fee could not be taxed.
    """
    if terms is None or terms.ladder.is_none or order.settlement is not None or order.taxation.is_pending:
        return None
    found = [
        FeeLine(line.line_id, stage, units, percent, tax_on(_net(line, units, goods, discount), _fraction(percent)))
        for line in order.lines
        if line.kind == BUILD_TO_ORDER
        for stage, units, percent in _by_stage(line, taken[line.line_id], terms)
    ]
    return _fee(order, found, is_taxed=terms.ladder.is_taxed, waived_reason=terms.waived_reason)


def fee_left(
    asked: Fee | None, order: Order, taken: Mapping[str, Unshipped], goods: Money, discount: Money
) -> Fee | None:
    """The fee once the warehouses have answered, when fewer units are cancelled than were asked for."""
    if asked is None:
        return None
    lines = {line.line_id: line for line in order.lines}
    found = []
    for one in asked.lines:
        units = min(one.units, _units(taken[one.line_id], one.stage))
        net = _net(lines[one.line_id], units, goods, discount)
        found.append(replace(one, units=units, amount=tax_on(net, _fraction(one.percent))))
    return _fee(order, found, is_taxed=asked.is_taxed, waived_reason=asked.waived_reason)


def _fee(order: Order, lines: Sequence[FeeLine], *, is_taxed: bool, waived_reason: str) -> Fee | None:
    charged = tuple(line for line in lines if line.amount.minor)
    if not charged:
        return None
    fee = Fee(charged, Money.zero(order.currency), is_taxed, waived_reason)
    return replace(fee, tax=_totals(order, fee).tax)


def _by_stage(line: Line, taken: Unshipped, terms: FeeTerms) -> Iterator[tuple[str, int, int]]:
    waiting = STARTED if line.line_id in terms.started else NOT_STARTED
    for stage in (waiting, FINISHED):
        yield stage, _units(taken, stage), getattr(terms.ladder, stage)


def _units(taken: Unshipped, stage: str) -> int:
    """What is in stock for a line that is built for it is finished."""
    return taken.units - taken.backordered if stage == FINISHED else taken.backordered


def _net(line: Line, units: int, goods: Money, discount: Money) -> Money:
    worth = extend(line.unit_price, units)
    if not goods.minor or not discount.minor:
        return worth
    part = min(worth.minor, goods.minor)
    return worth - share(discount, part, goods.minor, before=0, given=Money.zero(goods.currency))


def _fraction(percent: int) -> Decimal:
    return Decimal(percent) / 100


def _totals(order: Order, fee: Fee) -> Totals:
    zero = Money.zero(order.currency)
    return totals(_lines(order, fee), zero, zero, order.taxation)


def _lines(order: Order, fee: Fee) -> tuple[Line, ...]:
    of = {line.line_id: line for line in order.lines}
    return tuple(_line(of[one.line_id], one, number, is_taxed=fee.is_taxed) for number, one in enumerate(fee.lines, 1))


def _line(line: Line, one: FeeLine, number: int, *, is_taxed: bool) -> Line:
    return replace(
        line,
        line_id=str(number),
        description=f"Cancellation fee: {one.percent} % of {one.units}, {_WORDS[one.stage]}",
        kind="service",
        quantity=1,
        cancelled=0,
        closed=0,
        unit_price=UnitPrice(one.amount.amount, one.amount.currency),
        extended=one.amount,
        tax=line.tax if is_taxed else _UNTAXED,
    )


def charged_order(order: Order, fee: Fee) -> Order:
    """The order with what is charged as its lines and figures: what an invoice of the fee bills."""
    return replace(order, phase=ACCEPTED, deposit_terms="", lines=_lines(order, fee), totals=_totals(order, fee))
