"""Tax by parts: what of an order or an invoice has one rate is rounded together, and is shared out by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, tax_on

STANDARD, ZERO, EXEMPT, REVERSE_CHARGE, INTRA_COMMUNITY, EXPORT = "S", "Z", "E", "AE", "K", "G"
CODES = (STANDARD, ZERO, EXEMPT, REVERSE_CHARGE, INTRA_COMMUNITY, EXPORT)
"""How something is taxed, as EN 16931 codes it (UNTDID 5305); only what is S has a rate above zero."""

MAX_REASON = 300
FREIGHT_UNTAXED = "Freight is not taxed"


@dataclass(frozen=True, slots=True)
class TaxKind:
    """How something is taxed: a code of CODES, a fraction of its price, and why nothing is charged, as documents print it."""

    code: str
    rate: Decimal
    reason: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise InvalidArgument("TAX_CODE_UNKNOWN", f"a tax code is one of {', '.join(CODES)}")
        if not self.rate.is_finite() or not 0 <= self.rate <= 1:
            raise InvalidArgument("TAX_RATE_OUT_OF_RANGE", "a tax rate is a fraction from 0 to 1, such as 0.0825")
        if self.rate and self.code != STANDARD:
            raise InvalidArgument("TAX_RATE_OUT_OF_RANGE", f"what is taxed as {self.code} has the rate 0")

    @classmethod
    def at(cls, rate: Decimal, reason: str = "") -> "TaxKind":
        """Taxed at a rate; at zero for what has none."""
        return cls(STANDARD if rate else ZERO, rate, reason)

    @property
    def key(self) -> str:
        """What is rounded together has the same: "S 0.0825"."""
        return f"{self.code} {_plain(self.rate)}"


UNTAXED = TaxKind(ZERO, Decimal(0))
UNTAXED_FREIGHT = TaxKind(EXEMPT, Decimal(0), FREIGHT_UNTAXED)


@dataclass(frozen=True, slots=True)
class TaxPart:
    """What of an order or an invoice is taxed in one way: goods with their share of discount and freight, or freight alone.

    `key` names it within the order, for lines and for all invoices alike.
    """

    key: str
    kind: TaxKind
    merchandise: Money
    discount: Money
    freight: Money
    tax: Money

    @property
    def net(self) -> Money:
        """What is taxed: goods less their discount, and freight."""
        return self.merchandise - self.discount + self.freight


FREIGHT = "freight"
"""Key of the part that is freight alone."""


def parts_of_one_rate(
    merchandise: Money, discount: Money, freight: Money, tax: Money, rate: Decimal
) -> tuple[TaxPart, ...]:
    """The parts of what has its goods at one rate, and freight that is not taxed."""
    zero, kind = Money.zero(tax.currency), TaxKind.at(rate)
    goods = TaxPart(kind.key, kind, merchandise, discount, zero, tax)
    return (goods, TaxPart(FREIGHT, UNTAXED_FREIGHT, zero, zero, freight, zero)) if freight.minor else (goods,)


@dataclass(frozen=True, slots=True)
class TaxRow:
    """A row of a tax summary: all that is taxed in one way."""

    kind: TaxKind
    net: Money
    tax: Money
    parts: int = 1

    @property
    def is_explained(self) -> bool:
        """Whether its rate comes to its tax; each part of an invoice may be off by a minor unit, so that all invoices sum to the order."""
        return abs(tax_on(self.net, self.kind.rate).minor - self.tax.minor) <= self.parts


def summary(parts: Iterable[TaxPart]) -> tuple[TaxRow, ...]:
    """One row for each way of taxing, the highest rate first; what comes to nothing is left out."""
    rows: dict[TaxKind, TaxRow] = {}
    for part in parts:
        row = TaxRow(part.kind, part.net, part.tax)
        if known := rows.get(part.kind):
            row = TaxRow(part.kind, known.net + row.net, known.tax + row.tax, known.parts + 1)
        rows[part.kind] = row
    found = [row for row in rows.values() if row.net.minor or row.tax.minor]
    return tuple(sorted(found, key=lambda row: (-row.kind.rate, row.kind.code, row.kind.reason)))


def _plain(rate: Decimal) -> str:
    return f"{rate.normalize():f}"
