"""Credit notes: what falls on what is credited of an invoice, and where it goes; those of an invoice never sum to more than it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from services.billing.domain.apportioning import shared, within
from services.billing.domain.credit_refusals import check_creditable, check_currency, check_freight, check_units
from services.billing.domain.invoices import Invoice, InvoiceLine
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, exact_share, share
from services.kernel.tax import TaxKind, TaxPart

REASONS = ("billing_error", "price", "shortage", "damaged", "returned", "goodwill", "other")
"""Why an invoice is credited, in a word; people write the rest."""


@dataclass(frozen=True, slots=True)
class Credited:
    """The parts of a credit note, or of several. `discount` is positive and lowers the total, as on an invoice.

    `allowance` is given on the price of the goods; it is negative where units are credited whose price was lowered before, so that
    they are credited at what they cost, and where a discount is taken back. That is `claw_back_minor` of it: positive, and negative
    where it is given back with the goods that had lost it.
    """

    merchandise: Money
    discount: Money
    allowance: Money
    freight: Money
    tax: Money
    claw_back_minor: int = 0

    @classmethod
    def none(cls, currency: str) -> "Credited":
        """Nothing credited."""
        zero = Money.zero(currency)
        return cls(zero, zero, zero, zero, zero)

    @property
    def claw_back(self) -> Money:
        """What of a discount is taken back, which lowers the allowance."""
        return Money(self.claw_back_minor, self.tax.currency)

    @property
    def net(self) -> Money:
        """merchandise - discount + allowance: what revenue falls by, and what the tax falls on."""
        return self.merchandise - self.discount + self.allowance

    @property
    def total(self) -> Money:
        """net + freight + tax."""
        return self.net + self.freight + self.tax

    def __add__(self, other: "Credited") -> "Credited":
        return Credited(
            self.merchandise + other.merchandise,
            self.discount + other.discount,
            self.allowance + other.allowance,
            self.freight + other.freight,
            self.tax + other.tax,
            self.claw_back_minor + other.claw_back_minor,
        )


@dataclass(frozen=True, slots=True)
class CreditedSoFar:
    """What earlier credit notes of an invoice came to: line id → units and line id → what they were credited at, and their parts.

    `by_tax` is tax part → its share of those.
    """

    quantities: Mapping[str, int]
    extended: Mapping[str, Money]
    parts: Credited
    by_tax: Mapping[str, Credited]

    def of(self, key: str) -> Credited:
        """What was credited of a tax part."""
        return self.by_tax.get(key, Credited.none(self.parts.tax.currency))

    @classmethod
    def none(cls, currency: str) -> "CreditedSoFar":
        """No credit note yet."""
        return cls({}, {}, Credited.none(currency), {})


@dataclass(frozen=True, slots=True)
class RestockingFee:
    """A fee for taking units of a line back, of what is credited of them before tax or by the unit; it is not taxed."""

    line_id: str
    quantity: int
    percent: Decimal = Decimal(0)
    of_unit: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditAsked:
    """What somebody wants credited: line id → units, freight, an allowance on the price of the goods before tax, or all that is left.

    What came back names its return, and keeps the `fees`. `claw_back` of a discount is taken back, or given back where it is negative.
    Goods of other invoices that come back `with_it` are not kept either; what of its own is `ours` the customer does not answer for.
    """

    lines: Mapping[str, int]
    freight: Money
    allowance: Money
    is_all: bool
    reason_code: str
    reason: str
    asked_by: str = ""
    fees: tuple[RestockingFee, ...] = ()
    return_id: str = ""
    claw_back: Money | None = None
    with_it: Credited | None = None
    ours: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditedTax:
    """What a credit note credits of a tax part of its invoice."""

    key: str
    kind: TaxKind
    parts: Credited

    @property
    def tax_part(self) -> TaxPart:
        """As documents sum tax up: what is given on the price counts with the goods."""
        own = self.parts
        return TaxPart(self.key, self.kind, own.merchandise + own.allowance, own.discount, own.freight, own.tax)


@dataclass(frozen=True, slots=True)
class CreditFigures:
    """What a credit note will say: its lines in the order of the invoice, its parts, and those by tax part."""

    lines: tuple[InvoiceLine, ...]
    parts: Credited
    by_tax: tuple[CreditedTax, ...]


@dataclass(frozen=True, slots=True)
class Landing:
    """Where the total of a credit note goes: off what is open, off what was given up, off a discount taken early, and to cash."""

    open: Money
    recovered: Money
    discount: Money
    cash: Money


@dataclass(frozen=True, slots=True)
class LeftOver:
    """Cash of a payment that pays the invoice no longer and lies on account."""

    payment_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A posted credit note; it never changes. It has all that its paper says.

    `deferred` is what of its goods and of its freight had not become revenue; None for nothing. What was paid `is_held` for the order
    where its goods had not left, and are billed again; else it lies on account. Of what was paid and what was open a restocking `fee`
    is kept: cash first, and the rest stays open.
    """

    credit_note_id: str
    number: str
    invoice_id: str
    invoice_number: str
    order_id: str
    order_number: str
    customer_id: str
    credited_on: date
    issued_at: datetime
    reason_code: str
    reason: str
    lines: tuple[InvoiceLine, ...]
    parts: Credited
    landing: Landing
    left_over: tuple[LeftOver, ...] = field(default=())
    asked_by: str = ""
    approved_by: str = ""
    by_tax: tuple[CreditedTax, ...] = ()
    deferred: tuple[Money, Money] | None = None
    is_held: bool = False
    fee: Money | None = None
    return_id: str = ""
    ours: Money | None = None

    @property
    def fee_of_cash(self) -> Money:
        """What of the restocking fee is kept of cash that had been paid; the rest stays open on the invoice."""
        return min(self.fee, self.landing.cash) if self.fee else Money.zero(self.parts.total.currency)


def everything(invoice: Invoice, so_far: CreditedSoFar) -> tuple[dict[str, int], Money]:
    """All that is left to be credited: line id → units, and freight."""
    left = {line.line_id: line.quantity - so_far.quantities.get(line.line_id, 0) for line in invoice.lines}
    return {line_id: units for line_id, units in left.items() if units}, invoice.charges.freight - so_far.parts.freight


def credit(invoice: Invoice, asked: CreditAsked, so_far: CreditedSoFar) -> CreditFigures:
    """What falls on what is asked. Notes that credit all units and the freight sum to the invoice to the cent, whatever the partition.

    Units are credited at their share of what their line was billed, with their share of the discount and less their share of
    what was given on the price before; the tax of each tax part is shared by what all that comes to of it, so that goods free of
    tax are credited without any. An allowance and freight fall on the parts by what is left of them. Refused beyond what is left.
    """
    check_creditable(invoice)
    units, freight = everything(invoice, so_far) if asked.is_all else (dict(asked.lines), asked.freight)
    allowance = Money.zero(invoice.total.currency) if asked.is_all else asked.allowance
    found = falls_on(invoice, units, freight, so_far, allowance, asked.claw_back)
    if not found.parts.total.minor:
        raise InvalidArgument(
            "CREDIT_OF_NOTHING",
            f"nothing of invoice {invoice.number} would be credited: name units, freight or an amount",
        )
    return found


def falls_on(
    invoice: Invoice,
    units: Mapping[str, int],
    freight: Money,
    so_far: CreditedSoFar,
    allowance: Money | None = None,
    claw_back: Money | None = None,
) -> CreditFigures:
    """What falls on units (line id → how many), freight and an allowance, which may be nothing. Refused beyond what is left.

    A discount is taken back of the goods of these units, and given back of what was taken back, as far as they come to it.
    """
    allowance = allowance or Money.zero(invoice.total.currency)
    check_currency(invoice, freight, allowance)
    check_units(invoice, units, so_far.quantities)
    lines = tuple(_line(line, units[line.line_id], so_far) for line in invoice.lines if units.get(line.line_id))
    goods = [_goods(part, lines, invoice, so_far) for part in invoice.tax_parts]
    _check_allowance(invoice, allowance, goods, so_far)
    if claw_back is not None:
        goods = _clawed_back(claw_back, goods, invoice, so_far)
    check_freight(invoice, freight, so_far.parts.freight)
    by_tax = _with_tax(invoice, goods, allowance, freight, so_far)
    parts = sum((one.parts for one in by_tax), start=Credited.none(invoice.total.currency))
    nothing = Credited.none(invoice.total.currency)
    return CreditFigures(lines, parts, tuple(one for one in by_tax if one.parts != nothing))


def _goods(part: TaxPart, lines: Sequence[InvoiceLine], invoice: Invoice, so_far: CreditedSoFar) -> CreditedTax:
    """What is credited of the goods of a tax part, less their share of the discount and of what was given on their price."""
    first, had = invoice.tax_parts[0].key, so_far.of(part.key)
    zero = Money.zero(part.tax.currency)
    merchandise = Money.total((one.extended for one in lines if (one.tax_key or first) == part.key), zero.currency)
    whole, before = part.merchandise.minor, had.merchandise.minor
    discount = share(part.discount, merchandise.minor, whole, before=before, given=had.discount)
    if not merchandise.minor:
        return CreditedTax(part.key, part.kind, Credited(merchandise, discount, zero, zero, zero))
    taken_back = _allowance_on(part, merchandise - discount, merchandise, had)
    given_back = share(had.claw_back, merchandise.minor, whole - before, before=0, given=zero)
    own = Credited(merchandise, discount, -taken_back, zero, zero, -given_back.minor)
    return CreditedTax(part.key, part.kind, own)


def _clawed_back(
    claw_back: Money, goods: Sequence[CreditedTax], invoice: Invoice, so_far: CreditedSoFar
) -> list[CreditedTax]:
    """The goods of each part less a discount that is taken back: by what of it the part keeps, then wherever there are goods.

    What is given back goes where it had been taken.
    """
    had = [so_far.of(one.key) for one in goods]
    if claw_back.minor < 0:
        most = [before.claw_back + one.parts.claw_back for before, one in zip(had, goods, strict=True)]
        shares = [-one for one in within(-claw_back, most, most)]
    else:
        kept = [
            part.discount - before.discount - one.parts.discount
            for part, before, one in zip(invoice.tax_parts, had, goods, strict=True)
        ]
        shares = within(claw_back, kept, [one.parts.net for one in goods])
    return [replace(one, parts=_less(one.parts, taken)) for one, taken in zip(goods, shares, strict=True)]


def _less(parts: Credited, taken: Money) -> Credited:
    return replace(parts, allowance=parts.allowance - taken, claw_back_minor=parts.claw_back_minor + taken.minor)


def _with_tax(
    invoice: Invoice, goods: Sequence[CreditedTax], allowance: Money, freight: Money, so_far: CreditedSoFar
) -> list[CreditedTax]:
    """The goods of each part with its share of an allowance and of freight, by what is left of it, and the tax on all that."""
    of_allowance = shared(
        allowance, [_left(part, one, so_far) for part, one in zip(invoice.tax_parts, goods, strict=True)]
    )
    of_freight = shared(freight, [part.freight - so_far.of(part.key).freight for part in invoice.tax_parts])
    found = []
    for part, one, given, carried in zip(invoice.tax_parts, goods, of_allowance, of_freight, strict=True):
        own = replace(one.parts, allowance=one.parts.allowance + given, freight=carried)
        found.append(replace(one, parts=replace(own, tax=_tax(part, own, so_far.of(part.key)))))
    return found


def _left(part: TaxPart, goods: CreditedTax, so_far: CreditedSoFar) -> Money:
    """What of the goods of a part is left to be credited before tax, these goods credited."""
    return part.merchandise - part.discount - so_far.of(part.key).net - goods.parts.net


def _tax(part: TaxPart, credited: Credited, had: Credited) -> Money:
    """The tax of a part that falls on this much of its net and its freight, earlier credit notes counted."""
    now, before = (one.net + one.freight for one in (credited, had))
    return share(part.tax, now.minor, part.net.minor, before=before.minor, given=had.tax)


def restocking_fee(figures: CreditFigures, fees: Sequence[RestockingFee]) -> Money:
    """What is kept of a credit note: percents are of what the units are credited at, less their share of the discount; each is half up."""
    lines, parts = {line.line_id: line for line in figures.lines}, figures.parts
    total, worth = Money.zero(parts.total.currency), parts.net + max(parts.claw_back, Money.zero(parts.tax.currency))
    for fee in fees:
        if fee.of_unit:
            total = total + Money(fee.of_unit.minor * fee.quantity, total.currency)
        if fee.percent and parts.merchandise.minor:
            line = lines[fee.line_id]
            gross = exact_share(line.extended, fee.quantity, line.quantity)
            net = exact_share(worth, gross.minor, parts.merchandise.minor)
            total = total + exact_share(net, int(fee.percent * 10_000), 1_000_000)
    return min(total, parts.net)


def land_with_fee(invoice: Invoice, figures: CreditFigures, fees: Sequence[RestockingFee]) -> tuple[Landing, Money]:
    """Where a credit note goes, and the fee that is kept: no more than what was open or paid."""
    total, zero = figures.parts.total, Money.zero(figures.parts.total.currency)
    whole = land(invoice, total)
    fee = min(restocking_fee(figures, fees), whole.open + whole.cash) if fees else zero
    return land(invoice, total, fee), fee


def land(invoice: Invoice, total: Money, fee: Money | None = None) -> Landing:
    """What is open falls first, then what was given up, and only then is there cash that the customer has paid for nothing.

    With it goes what the discount for paying early gave on what is credited, for nobody paid that.
    """
    credited = total - fee if fee else total
    off_open = min(total, invoice.open)
    recovered = min(total - off_open, invoice.written_off)
    rest = total - off_open - recovered
    taken = invoice.discount_taken or Money.zero(total.currency)
    lost = taken - min(taken, invoice.early_after(invoice.credited + credited)) if rest.minor else taken - taken
    return Landing(off_open, recovered, lost, rest - lost)


def _line(line: InvoiceLine, units: int, so_far: CreditedSoFar) -> InvoiceLine:
    extended = share(
        line.extended, units, line.quantity,
        before=so_far.quantities.get(line.line_id, 0),
        given=so_far.extended.get(line.line_id, Money.zero(line.extended.currency)),
    )  # fmt: skip
    return InvoiceLine(line.line_id, line.sku, line.description, units, line.unit_price, extended, line.tax_key)


def _allowance_on(part: TaxPart, goods: Money, merchandise: Money, had: Credited) -> Money:
    """What of the allowances that were given falls on these goods: their share by value of all that are not credited yet."""
    given, left = had.allowance, part.merchandise - had.merchandise
    rest = part.merchandise - part.discount - had.merchandise + had.discount - goods
    own = share(given, merchandise.minor, left.minor, before=0, given=Money.zero(given.currency))
    # no goods bear more than they cost, and what is not credited yet can bear what is left
    return min(max(own, given - rest), goods)


def _check_allowance(invoice: Invoice, allowance: Money, goods: Sequence[CreditedTax], so_far: CreditedSoFar) -> None:
    currency = invoice.total.currency
    parts = zip(invoice.tax_parts, goods, strict=True)
    left = Money.total((_left(part, one, so_far) for part, one in parts), currency)
    if allowance > left:
        raise Refused(
            "ALLOWANCE_EXCEEDS_GOODS",
            f"the goods of invoice {invoice.number} have {left} before tax left to be credited: give at most that",
        )
