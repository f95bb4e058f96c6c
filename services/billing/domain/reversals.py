"""A ship confirm that was a mistake: what of invoices counts as not billed by it, and what of that is left to be credited."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.billing.domain.credit_notes import (
    CreditAsked,
    CreditedSoFar,
    CreditFigures,
    everything,
    falls_on,
)
from services.billing.domain.invoices import Invoice
from services.kernel.money import Money, share

CREDITED, UNQUEUED, DEFERRED, NONE = "credited", "unqueued", "deferred", "none"
OUTCOMES = (CREDITED, UNQUEUED, DEFERRED, NONE)
"""What becomes of a shipment here: its invoice is credited, it waits for none any more, its revenue is deferred again, or nothing."""
REASON_CODE = "billing_error"


@dataclass(frozen=True, slots=True)
class ReversalAsked:
    """A shipment that never left; the `reason` is the company's own."""

    order_id: str
    customer_id: str
    currency: str
    shipment_id: str
    shipment_number: str
    reason: str
    reversed_by: str

    @property
    def words(self) -> str:
        """Why its invoice is credited, as its customer reads it."""
        return f"Shipment {self.shipment_number} was reported as shipped by mistake."


@dataclass(frozen=True, slots=True)
class Reversed:
    """What became of a shipment; `held` is what of a credited amount was paid, and is held for the order."""

    outcome: str
    amount: Money
    held: Money
    invoice_id: str = ""
    credit_note_id: str = ""


def units_on(invoice: Invoice, left_with: Mapping[str, int]) -> Mapping[str, int]:
    """Line id → units that an invoice bills of a shipment: all of it where it bills no other, else what left with it."""
    if not invoice.shipment_ids:
        return {line.line_id: line.quantity for line in invoice.lines}
    return left_with


def unbilled(invoice: Invoice, units: Mapping[str, int], had: CreditedSoFar) -> CreditFigures:
    """What of an invoice counts as not billed with these units, after those that `had` been reversed; other credit notes aside.

    Freight goes with the value of the goods, and what is reversed last takes all that is left: together they come to the invoice.
    """
    left, freight = everything(invoice, had)
    if dict(units) != left:
        whole = invoice.charges.merchandise
        goods = falls_on(invoice, units, freight - freight, had).parts.merchandise
        counts, before, all_of_it = goods.minor, had.parts.merchandise.minor, whole.minor
        if not all_of_it:
            counts, before = sum(units.values()), sum(had.quantities.values())
            all_of_it = sum(line.quantity for line in invoice.lines)
        freight = share(invoice.charges.freight, counts, all_of_it, before=before, given=had.parts.freight)
    return falls_on(invoice, units, freight, had)


def left_to_credit(
    invoice: Invoice, off: CreditFigures, so_far: CreditedSoFar, asked: ReversalAsked, *, is_last: bool
) -> CreditAsked:
    """What the credit note asks for: what of it no other credit note has credited before, and all that is left with the last shipment."""
    left, freight = everything(invoice, so_far)
    units = {line.line_id: min(line.quantity, left.get(line.line_id, 0)) for line in off.lines}
    zero = Money.zero(invoice.total.currency)
    return CreditAsked(
        {line_id: count for line_id, count in units.items() if count},
        min(off.parts.freight, freight),
        zero,
        is_all=is_last,
        reason_code=REASON_CODE,
        reason=asked.words,
        asked_by=asked.reversed_by,
    )


def is_last(invoice: Invoice, off: CreditFigures, had: CreditedSoFar) -> bool:
    """Whether nothing of an invoice stays billed with these units."""
    now = {line.line_id: line.quantity for line in off.lines}
    return all(
        line.quantity == had.quantities.get(line.line_id, 0) + now.get(line.line_id, 0) for line in invoice.lines
    )
