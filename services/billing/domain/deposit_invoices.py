"""Deposit invoices: cash that came for an order before its goods left, with the tax in it, and the credit notes that take it back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.billing.domain.headers import Header
from services.kernel.money import Money, exact_share
from services.kernel.tax import TaxKind, TaxPart

INVOICE, CREDIT_NOTE = "invoice", "credit_note"
KINDS = (INVOICE, CREDIT_NOTE)


@dataclass(frozen=True, slots=True)
class DepositPart:
    """What of a deposit is taxed in one way: `net` without its tax."""

    kind: TaxKind
    net: Money
    tax: Money

    @property
    def gross(self) -> Money:
        """With its tax."""
        return self.net + self.tax

    @property
    def tax_part(self) -> TaxPart:
        """As documents and the API name it."""
        zero = Money.zero(self.net.currency)
        return TaxPart(self.kind.key, self.kind, self.net, zero, zero, self.tax)

    def __sub__(self, other: "DepositPart") -> "DepositPart":
        return DepositPart(self.kind, self.net - other.net, self.tax - other.tax)


@dataclass(frozen=True, slots=True)
class DepositDeduction:
    """What an invoice deducts of a deposit invoice of that day, and the tax in it."""

    deposit_invoice_id: str
    deposit_invoice_number: str
    invoiced_on: date
    invoice_id: str
    invoice_number: str
    amount: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class DepositInvoice:
    """A posted deposit invoice, or a credit note of one; nothing of it changes but what of it is deducted and credited.

    Its cash had come by `received_on`. `left` is what of each part is neither deducted nor credited. A credit note `corrects` the
    deposit invoice of that number, for a `reason`; nothing of it is left.
    """

    deposit_invoice_id: str
    number: str
    kind: str
    order_id: str
    order_number: str
    customer_id: str
    invoiced_on: date
    received_on: date
    issued_at: datetime
    parts: tuple[DepositPart, ...]
    left: tuple[DepositPart, ...]
    deducted: Money
    credited: Money
    corrects: str = ""
    corrected_on: date | None = None
    reason: str = ""
    header: Header = field(default_factory=Header)

    @property
    def is_credit_note(self) -> bool:
        """Whether it takes back what another one has invoiced."""
        return self.kind == CREDIT_NOTE

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return self.deducted.currency

    @property
    def tax(self) -> Money:
        """The tax in its total."""
        return Money.total((part.tax for part in self.parts), self.currency)

    @property
    def total(self) -> Money:
        """The cash that it is of."""
        return Money.total((part.gross for part in self.parts), self.currency)

    @property
    def open(self) -> Money:
        """What is neither deducted nor credited."""
        return Money.total((part.gross for part in self.left), self.currency)


def contained(amount: Money, parts: Sequence[TaxPart]) -> tuple[DepositPart, ...]:
    """What an amount is of, when it is paid towards an order of these tax parts: one part a kind of tax, with the tax in it.

    The parts sum to the amount. All that an order comes to has all of its tax, to the cent. The amount is at most that.
    """
    kinds: dict[str, DepositPart] = {}
    for part in parts:
        known = kinds.get(part.kind.key, DepositPart(part.kind, part.net - part.net, part.tax - part.tax))
        kinds[part.kind.key] = DepositPart(_joined(known.kind, part.kind), known.net + part.net, known.tax + part.tax)
    return tuple(part for part in taken(amount, tuple(kinds.values())) if part.gross.minor)


def taken(amount: Money, left: Sequence[DepositPart]) -> tuple[DepositPart, ...]:
    """What of each part goes with an amount, which is at most what they come to: their shares, one after the other, so that they sum to it.

    The tax of a part goes with its share. Whoever takes all of a part takes all of its tax.
    """
    rest, whole, found = amount, Money.total((part.gross for part in left), amount.currency), []
    for part in left:
        gross = exact_share(part.gross, rest.minor, whole.minor) if whole.minor else whole
        tax = exact_share(part.tax, gross.minor, part.gross.minor) if gross.minor else gross
        found.append(DepositPart(part.kind, gross - tax, tax))
        rest, whole = rest - gross, whole - part.gross
    return tuple(found)


def to_invoice(held: Money, unbilled: Money, invoiced: Iterable[DepositInvoice]) -> Money:
    """What of the cash that is held for an order is on no deposit invoice yet: none of it beyond what can still be invoiced of the order."""
    on_paper = Money.total((one.open for one in invoiced), held.currency)
    return max(min(held, unbilled) - on_paper, Money.zero(held.currency))


def _joined(known: TaxKind, kind: TaxKind) -> TaxKind:
    """One kind that has the reasons of both."""
    reasons = dict.fromkeys(filter(None, (*known.reason.split("; "), kind.reason)))
    return TaxKind(kind.code, kind.rate, "; ".join(reasons))
