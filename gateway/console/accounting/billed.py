"""What invoices, those that would be, and credit notes have in common on pages: lines, and what a total is made of."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.console.accounting.values import money
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.formats import tax_lines
from services.kernel.money import Money
from services.runtime.wire import read_tax_part

_PARTS = (
    ("Merchandise", "merchandise"), ("Discount", "discount"), ("Price allowance", "allowance"),
    ("Discount taken back", "claw_back"), ("Freight", "freight"),
)  # fmt: skip
_TAKEN_OFF = ("Discount", "Discount taken back")


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of an invoice or a credit note, how many of its units are credited, and its order where there are several."""

    line_id: str
    sku: str
    description: str
    quantity: int
    unit_price: str
    extended: Money
    credited: int = 0
    order_number: str = ""

    @property
    def left(self) -> int:
        """Units that can still be credited."""
        return self.quantity - self.credited

    @classmethod
    def of(cls, line: pb.InvoiceLine, credited: int = 0) -> BilledLine:
        """From the wire."""
        extended = money(line.extended, line.extended.currency)
        return cls(
            line.line_id,
            line.sku,
            line.description,
            line.quantity,
            line.unit_price,
            extended,
            credited,
            line.order_number,
        )


def parts_of(row: pb.Invoice | pb.CreditNote) -> tuple[tuple[str, Money], ...]:
    """What its total is made of: the parts that are not zero, and its tax by rate."""
    currency = row.total.currency
    amounts = ((words, money(getattr(row, name), currency)) for words, name in _PARTS if hasattr(row, name))
    if isinstance(row, pb.CreditNote):  # a discount that is taken back stands by itself
        amounts = ((words, part + _claw_back(row) if words == "Price allowance" else part) for words, part in amounts)
    parts = [(words, -part if words in _TAKEN_OFF else part) for words, part in amounts if part.minor]
    if not row.tax_parts:  # of before they were kept
        return (*parts, ("Tax", money(row.tax, currency)))
    taxes = tax_lines([read_tax_part(part, currency) for part in row.tax_parts], currency)
    return (*parts, *((one.name, one.tax) for one in taxes))


def _claw_back(note: pb.CreditNote) -> Money:
    return money(note.claw_back, note.total.currency)
