"""Credit notes: what falls on what is credited of an invoice, and where it goes; those of an invoice never sum to more than it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from services.billing.domain.invoices import Invoice, InvoiceLine
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, share

REASONS = ("billing_error", "price", "shortage", "damaged", "returned", "goodwill", "other")
"""Why an invoice is credited, in a word; people write the rest."""


@dataclass(frozen=True, slots=True)
class Credited:
    """The parts of a credit note, or of several. `discount` is positive and lowers the total, as on an invoice.

    `allowance` is given on the price of the goods; it is negative where units are credited whose price was lowered before, so that
    they are credited at what they cost.
    """

    merchandise: Money
    discount: Money
    allowance: Money
    freight: Money
    tax: Money

    @classmethod
    def none(cls, currency: str) -> "Credited":
        """Nothing credited."""
        zero = Money.zero(currency)
        return cls(zero, zero, zero, zero, zero)

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
        )


@dataclass(frozen=True, slots=True)
class CreditedSoFar:
    """What earlier credit notes of an invoice came to: line id → units and line id → what they were credited at, and their parts."""

    quantities: Mapping[str, int]
    extended: Mapping[str, Money]
    parts: Credited

    @classmethod
    def none(cls, currency: str) -> "CreditedSoFar":
        """No credit note yet."""
        return cls({}, {}, Credited.none(currency))


@dataclass(frozen=True, slots=True)
class CreditAsked:
    """What somebody wants credited: line id → units, freight, an allowance on the price of the goods before tax, or all that is left."""

    lines: Mapping[str, int]
    freight: Money
    allowance: Money
    is_all: bool
    reason_code: str
    reason: str
    asked_by: str = ""


@dataclass(frozen=True, slots=True)
class CreditFigures:
    """What a credit note will say: its lines in the order of the invoice, and its parts."""

    lines: tuple[InvoiceLine, ...]
    parts: Credited


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
    """A posted credit note; it never changes. It has all that its paper says."""

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


def everything(invoice: Invoice, so_far: CreditedSoFar) -> tuple[dict[str, int], Money]:
    """All that is left to be credited: line id → units, and freight."""
    left = {line.line_id: line.quantity - so_far.quantities.get(line.line_id, 0) for line in invoice.lines}
    return {line_id: units for line_id, units in left.items() if units}, invoice.charges.freight - so_far.parts.freight


def credit(invoice: Invoice, asked: CreditAsked, so_far: CreditedSoFar) -> CreditFigures:
    """What falls on what is asked. Notes that credit all units and the freight sum to the invoice to the cent, whatever the partition.

    Units are credited at their share of what their line was billed, with their share of the discount and less their share of
    what was given on the price before; the tax is shared by what all that comes to. Refused beyond what is left.
    """
    _check_creditable(invoice)
    units, freight = everything(invoice, so_far) if asked.is_all else (dict(asked.lines), asked.freight)
    allowance = Money.zero(invoice.total.currency) if asked.is_all else asked.allowance
    _check_currency(invoice, freight, allowance)
    _check_units(invoice, units, so_far)
    lines = tuple(_line(line, units[line.line_id], so_far) for line in invoice.lines if units.get(line.line_id))
    merchandise = Money.total((line.extended for line in lines), invoice.total.currency)
    discount = share(
        invoice.charges.discount, merchandise.minor, invoice.charges.merchandise.minor,
        before=so_far.parts.merchandise.minor, given=so_far.parts.discount,
    )  # fmt: skip
    goods = merchandise - discount
    taken_back = _allowance_on(invoice, goods, merchandise, so_far)
    _check_allowance(invoice, allowance, goods - taken_back, so_far)
    _check_freight(invoice, freight, so_far)
    net = goods - taken_back + allowance
    tax = tax_on_credit(invoice, net, so_far)
    parts = Credited(merchandise, discount, allowance - taken_back, freight, tax)
    if not parts.total.minor:
        raise InvalidArgument(
            "CREDIT_OF_NOTHING",
            f"nothing of invoice {invoice.number} would be credited: name units, freight or an amount",
        )
    return CreditFigures(lines, parts)


def tax_on_credit(invoice: Invoice, net: Money, so_far: CreditedSoFar) -> Money:
    """The tax that falls on this much of the invoice's net, its earlier credit notes counted."""
    whole, before = invoice.charges.net.minor, so_far.parts.net.minor
    return share(invoice.charges.tax, net.minor, whole, before=before, given=so_far.parts.tax)


def land(invoice: Invoice, total: Money) -> Landing:
    """What is open falls first, then what was given up, and only then is there cash that the customer has paid for nothing.

    With it goes what the discount for paying early gave on what is credited, for nobody paid that.
    """
    off_open = min(total, invoice.open)
    recovered = min(total - off_open, invoice.written_off)
    rest = total - off_open - recovered
    taken = invoice.discount_taken or Money.zero(total.currency)
    lost = taken - min(taken, invoice.early_after(invoice.credited + total)) if rest.minor else taken - taken
    return Landing(off_open, recovered, lost, rest - lost)


def check_write_off(invoice: Invoice, amount: Money | None) -> Money:
    """What is given up of an invoice: the amount, or all that is open. Refused beyond that, and where nothing is."""
    if not invoice.open.minor:
        raise Refused("INVOICE_NOT_OPEN", f"nothing is open on invoice {invoice.number}: there is nothing to write off")
    if amount is None:
        return invoice.open
    _check_currency(invoice, amount)
    if amount > invoice.open:
        raise Refused(
            "WRITE_OFF_EXCEEDS_OPEN", f"invoice {invoice.number} has {invoice.open} open: write off at most that"
        )
    return amount


def _check_creditable(invoice: Invoice) -> None:
    if invoice.settled_elsewhere.minor:
        raise Refused(
            "INVOICE_SETTLED_ELSEWHERE",
            f"invoice {invoice.number} was paid where it was bought: refund the buyer there",
        )


def _check_currency(invoice: Invoice, *amounts: Money) -> None:
    own = invoice.total.currency
    for amount in amounts:
        if amount.currency != own:
            raise Refused(
                "INVOICE_CURRENCY_DIFFERS", f"invoice {invoice.number} is in {own}: credit it in that currency"
            )


def _check_units(invoice: Invoice, units: Mapping[str, int], so_far: CreditedSoFar) -> None:
    billed = {line.line_id: line.quantity for line in invoice.lines}
    if unknown := sorted(units.keys() - billed.keys()):
        raise InvalidArgument(
            "LINE_UNKNOWN", f"invoice {invoice.number} has no line {', '.join(unknown)}: credit lines of the invoice"
        )
    for line_id, wanted in units.items():
        before = so_far.quantities.get(line_id, 0)
        if before + wanted > billed[line_id]:
            raise Refused(
                "UNITS_CREDITED",
                f"line {line_id} of invoice {invoice.number}: {before} of {billed[line_id]} units are credited already, "
                f"so {billed[line_id] - before} can be, not {wanted}",
            )


def _line(line: InvoiceLine, units: int, so_far: CreditedSoFar) -> InvoiceLine:
    extended = share(
        line.extended, units, line.quantity,
        before=so_far.quantities.get(line.line_id, 0),
        given=so_far.extended.get(line.line_id, Money.zero(line.extended.currency)),
    )  # fmt: skip
    return InvoiceLine(line.line_id, line.sku, line.description, units, line.unit_price, extended)


def _allowance_on(invoice: Invoice, goods: Money, merchandise: Money, so_far: CreditedSoFar) -> Money:
    """What of the allowances that were given falls on these goods: their share by value of all that are not credited yet."""
    given, left = so_far.parts.allowance, invoice.charges.merchandise - so_far.parts.merchandise
    rest = invoice.charges.net - so_far.parts.merchandise + so_far.parts.discount - goods
    own = share(given, merchandise.minor, left.minor, before=0, given=Money.zero(given.currency))
    # no goods bear more than they cost, and what is not credited yet can bear what is left
    return min(max(own, given - rest), goods)


def _check_allowance(invoice: Invoice, allowance: Money, goods: Money, so_far: CreditedSoFar) -> None:
    left = invoice.charges.net - so_far.parts.net - goods
    if allowance > left:
        raise Refused(
            "ALLOWANCE_EXCEEDS_GOODS",
            f"the goods of invoice {invoice.number} have {left} before tax left to be credited: give at most that",
        )


def _check_freight(invoice: Invoice, freight: Money, so_far: CreditedSoFar) -> None:
    left = invoice.charges.freight - so_far.parts.freight
    if freight > left:
        raise Refused(
            "FREIGHT_CREDITED",
            f"invoice {invoice.number} has {left} of freight left to be credited: credit at most that",
        )
