"""What falls on goods that are billed: their share of an order's discount, freight and tax, by tax part and to the cent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from services.kernel.money import Money, UnitPrice, extend, share, tax_on
from services.kernel.tax import FREIGHT, TaxPart


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of the order as it stands; `quantity` is what was ordered less what was cancelled.

    `tax_key` names the part that it is taxed with; empty where the order has one part for all goods.
    """

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: UnitPrice
    tax_key: str = ""


@dataclass(frozen=True, slots=True)
class Charges:
    """The four parts of an order or an invoice. The discount is positive and lowers the total."""

    merchandise: Money
    discount: Money
    freight: Money
    tax: Money

    @classmethod
    def none(cls, currency: str) -> "Charges":
        """Nothing charged yet."""
        zero = Money.zero(currency)
        return cls(zero, zero, zero, zero)

    @classmethod
    def of(cls, part: TaxPart) -> "Charges":
        """Those of a tax part."""
        return cls(part.merchandise, part.discount, part.freight, part.tax)

    @property
    def net(self) -> Money:
        """Merchandise less discount: the revenue."""
        return self.merchandise - self.discount

    @property
    def taxed(self) -> Money:
        """What tax is on: the net, and freight."""
        return self.net + self.freight

    @property
    def total(self) -> Money:
        """merchandise - discount + freight + tax."""
        return self.net + self.freight + self.tax

    def __add__(self, other: "Charges") -> "Charges":
        return Charges(
            self.merchandise + other.merchandise,
            self.discount + other.discount,
            self.freight + other.freight,
            self.tax + other.tax,
        )

    def __sub__(self, other: "Charges") -> "Charges":
        return Charges(
            self.merchandise - other.merchandise,
            self.discount - other.discount,
            self.freight - other.freight,
            self.tax - other.tax,
        )

    @classmethod
    def sum(cls, charges: Iterable["Charges"], currency: str) -> "Charges":
        """What they come to together."""
        return sum(charges, start=cls.none(currency))


@dataclass(frozen=True, slots=True)
class BilledSoFar:
    """What the earlier invoices of an order came to: line id → units, the sums of their parts, and tax part → its share of those.

    `extended` is line id → unit price and what its units came to, of lines that were billed at one price and of which some is not
    billed any more: which cents went with it is no matter of how many units are left.
    """

    quantities: Mapping[str, int]
    charges: Charges
    parts: Mapping[str, Charges] = field(default_factory=dict)
    extended: Mapping[str, tuple[UnitPrice, Money]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goods:
    """Units of lines, and what they come to."""

    units: int
    merchandise: Money

    def __add__(self, other: "Goods") -> "Goods":
        return Goods(self.units + other.units, self.merchandise + other.merchandise)


@dataclass(frozen=True, slots=True)
class Shares:
    """An order's tax parts, with what of each was billed before: what falls on goods follows from them.

    `before` and `whole` are the goods that were billed, and all of them, by part and in all.
    """

    currency: str
    parts: Mapping[str, TaxPart]
    billed: Mapping[str, Charges]
    before: Mapping[str, Goods]
    whole: Mapping[str, Goods]

    @classmethod
    def of(
        cls, parts: tuple[TaxPart, ...], lines: Iterable[OrderLine], merchandise: Money, so_far: BilledSoFar
    ) -> "Shares":
        """Of an order of these lines, whose goods come to `merchandise`."""
        lines = tuple(lines)
        nothing = Goods(0, Money.zero(merchandise.currency))
        units = {part.key: [0, 0] for part in parts}
        first = parts[0].key
        for line in lines:
            counts = units[line.tax_key or first]
            counts[0] += line.quantity
            counts[1] += so_far.quantities.get(line.line_id, 0)
        is_billed = (line.tax_key or first for line in lines if so_far.quantities.get(line.line_id))
        billed = _billed_by_part(parts, so_far, next(is_billed, first))
        goods = [part for part in parts if part.key != FREIGHT]
        whole = {part.key: Goods(units[part.key][0], part.merchandise) for part in goods}
        before = {part.key: Goods(units[part.key][1], billed[part.key].merchandise) for part in goods}
        whole[FREIGHT] = Goods(sum(one.units for one in whole.values()), merchandise)
        before[FREIGHT] = sum(before.values(), start=nothing)
        return cls(merchandise.currency, {part.key: part for part in parts}, billed, before, whole)

    def charge(self, key: str, goods: Goods) -> Charges:
        """What falls on these goods of a part, or for FREIGHT of the order: none of it negative, for only a credit note takes back.

        The invoice that bills the last of a part takes what the order has left of it. The discount is at most the goods.
        """
        part, billed, zero = self.parts[key], self.billed[key], Money.zero(self.currency)
        before, now, whole = _progress(self.before[key], goods, self.whole[key])
        merchandise = zero if key == FREIGHT else goods.merchandise
        discount = min(share(part.discount, now, whole, before=before, given=billed.discount), merchandise)
        freight = share(part.freight, now, whole, before=before, given=billed.freight)
        taxed = billed.taxed + merchandise - discount + freight
        is_last = before + now == whole
        tax = part.tax if is_last else min(tax_on(taxed, part.kind.rate), part.tax)
        return Charges(merchandise, discount, freight, max(tax - billed.tax, zero))

    def charges(self, goods: Mapping[str, Goods]) -> dict[str, Charges]:
        """Part → what falls of it on these goods (part → goods), parts of which there are any; freight follows all goods."""
        found = {key: self.charge(key, goods[key]) for key in self.parts if key in goods}
        if FREIGHT in self.parts:
            nothing = Goods(0, Money.zero(self.currency))
            found[FREIGHT] = self.charge(FREIGHT, sum(goods.values(), start=nothing))
        return found


def goods_by_part(
    lines: Iterable[OrderLine], first: str, so_far: BilledSoFar, units: Mapping[str, int]
) -> dict[str, Goods]:
    """Tax part → goods, of these units (line id → units) after those that were billed."""
    found: dict[str, Goods] = {}
    for line in lines:
        if line.line_id in units:
            key, goods = line.tax_key or first, goods_of(line, so_far, units[line.line_id])
            found[key] = found[key] + goods if key in found else goods
    return found


def goods_of(line: OrderLine, so_far: BilledSoFar, units: int) -> Goods:
    """Units of a line after those that were billed.

    The running extended price is rounded once from the unit price, so 3 at 33.33 bills 33.33 each, and it does not depend
    on how many units are cancelled later.
    """
    before = so_far.quantities.get(line.line_id, 0)
    price, billed = so_far.extended.get(line.line_id, (line.unit_price, extend(line.unit_price, before)))
    if price != line.unit_price:
        billed = extend(line.unit_price, before)
    own = extend(line.unit_price, before + units) - billed
    return Goods(units, max(own, Money.zero(own.currency)))


def charged_parts(parts: Iterable[TaxPart], charges: Mapping[str, Charges]) -> tuple[TaxPart, ...]:
    """The parts of a bill, of those parts of its order that anything of falls on it."""
    return tuple(
        replace(part, merchandise=one.merchandise, discount=one.discount, freight=one.freight, tax=one.tax)
        for part in parts
        if (one := charges.get(part.key)) is not None
    )


def _billed_by_part(parts: tuple[TaxPart, ...], so_far: BilledSoFar, first: str) -> dict[str, Charges]:
    """Part → what was billed of it.

    What invoices of before there were parts came to was all of one rate: that of the `first` line that was billed, which keeps it.
    """
    none = Charges.none(so_far.charges.merchandise.currency)
    billed = {part.key: so_far.parts.get(part.key, none) for part in parts}
    rest = so_far.charges - Charges.sum(so_far.parts.values(), so_far.charges.merchandise.currency)
    if rest == none:
        return billed
    if parts[-1].key == FREIGHT:
        freight = replace(none, freight=rest.freight)
        billed[FREIGHT] = billed[FREIGHT] + freight
        rest = rest - freight
    billed[first] = billed[first] + rest
    return billed


def _progress(billed: Goods, goods: Goods, all_goods: Goods) -> tuple[int, int, int]:
    """What was invoiced before, what is now, and the whole, by value; free goods are measured in units.

    The whole is the order as it stands, what is billed included; what a change left billed beyond it counts as all of it.
    """
    whole, before, now = all_goods.merchandise.minor, billed.merchandise.minor, goods.merchandise.minor
    if not whole:
        whole, before, now = all_goods.units, billed.units, goods.units
    before = min(before, whole)
    return before, min(now, whole - before), whole
