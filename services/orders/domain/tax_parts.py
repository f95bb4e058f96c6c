"""An order by tax parts: whose goods, discount and freight are rounded together, so that its invoices can sum to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.kernel.money import Money, share, tax_on
from services.kernel.tax import FREIGHT, UNTAXED_FREIGHT, TaxKind, TaxPart

OWN_RATES, ENGINE, PENDING = "", "engine", "pending"
"""Who says how an order is taxed: our own rates, an external engine, or an engine that has not answered yet."""


@dataclass(frozen=True, slots=True)
class Taxation:
    """How an order is taxed beside its lines: as it was determined when it was placed, for its whole life.

    `freight` is None where freight is taxed as the goods are that it carries. `tax_on` is the day whose rates it has, None for
    an order of before that was kept. `exemption` is the certificate under which it is not taxed, `source` who says so: OWN_RATES,
    ENGINE or PENDING.
    """

    freight: TaxKind | None = UNTAXED_FREIGHT
    is_per_line: bool = False
    tax_on: date | None = None
    exemption: str = ""
    source: str = OWN_RATES

    @property
    def is_pending(self) -> bool:
        """Whether nobody knows the tax yet: the order has none, and waits."""
        return self.source == PENDING

    def tax_key(self, line_id: str, kind: TaxKind) -> str:
        """The key of the part that a line belongs to: its own where each line is rounded by itself."""
        return f"{kind.key} {line_id}" if self.is_per_line else kind.key


DEFAULT_TAXATION = Taxation()
"""Freight is not taxed, and goods of one rate are rounded together: orders of before there were rules."""


@dataclass(frozen=True, slots=True)
class BilledPart:
    """What invoices came to of a tax part, and how many units they billed."""

    merchandise: Money
    discount: Money
    freight: Money
    units: int = 0


NOTHING_BILLED: Mapping[str, BilledPart] = {}


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """What a line's tax rests on."""

    line_id: str
    quantity: int
    extended: Money
    kind: TaxKind


def tax_parts(
    lines: Sequence[TaxedLine],
    discount: Money,
    freight: Money,
    taxation: Taxation,
    billed: Mapping[str, BilledPart] = NOTHING_BILLED,
) -> tuple[TaxPart, ...]:
    """An order by parts, in the order of its lines, freight that is taxed otherwise last; their sums are the order's.

    The discount is shared out by the value of the goods, freight that is taxed as they are, too; an order of free goods is shared by
    its units. Of what is `billed` (key → part) a part keeps what it had, and the rest is shared over what is not billed.
    """
    goods = _goods(lines, taxation)
    discounts = _shared(discount, goods, {key: part.discount for key, part in billed.items()}, billed)
    carried = taxation.freight is None
    nothing = {key: Money.zero(discount.currency) for key in goods}
    freights = (
        _shared(freight, goods, {key: part.freight for key, part in billed.items()}, billed) if carried else nothing
    )
    parts = [
        _taxed(TaxPart(key, one.kind, one.merchandise, discounts[key], freights[key], nothing[key]))
        for key, one in goods.items()
    ]
    if taxation.freight is not None and freight.minor:
        zero = Money.zero(freight.currency)
        parts.append(_taxed(TaxPart(FREIGHT, taxation.freight, zero, zero, freight, zero)))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class _Goods:
    kind: TaxKind
    merchandise: Money
    units: int


def _goods(lines: Iterable[TaxedLine], taxation: Taxation) -> dict[str, _Goods]:
    """Key → the goods of a part."""
    goods: dict[str, _Goods] = {}
    for line in lines:
        key = taxation.tax_key(line.line_id, line.kind)
        known = goods.get(key)
        if known is None:
            goods[key] = _Goods(line.kind, line.extended, line.quantity)
        else:
            goods[key] = _Goods(known.kind, known.merchandise + line.extended, known.units + line.quantity)
    return goods


def _shared(
    total: Money, goods: Mapping[str, _Goods], had: Mapping[str, Money], billed: Mapping[str, BilledPart]
) -> dict[str, Money]:
    """Key → what of a total falls on a part."""
    nothing = Money.zero(total.currency)
    weights = _unbilled(goods, billed)
    whole, before, given = sum(weights.values()), 0, nothing
    rest = total - Money.total((had.get(key, nothing) for key in goods), total.currency)
    falls = {key: had.get(key, nothing) for key in goods}
    if goods and not whole:  # all is billed: what is more or less than that falls on the last
        last = list(goods)[-1]
        return {key: part + rest if key == last else part for key, part in falls.items()}
    for key, weight in weights.items():
        part = share(rest, weight, whole, before=before, given=given)
        before, given = before + weight, given + part
        falls[key] = falls[key] + part
    return falls


def _unbilled(goods: Mapping[str, _Goods], billed: Mapping[str, BilledPart]) -> dict[str, int]:
    """Key → the value of what of a part is not billed; its units, where all that is left is free."""
    worth = {
        key: max(one.merchandise.minor - (billed[key].merchandise.minor if key in billed else 0), 0)
        for key, one in goods.items()
    }
    if any(worth.values()):
        return worth
    return {key: max(one.units - (billed[key].units if key in billed else 0), 0) for key, one in goods.items()}


def _taxed(part: TaxPart) -> TaxPart:
    tax = tax_on(part.net, part.kind.rate)
    return TaxPart(part.key, part.kind, part.merchandise, part.discount, part.freight, tax)
