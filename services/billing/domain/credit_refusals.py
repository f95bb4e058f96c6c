"""What cannot be credited or given up of an invoice."""

from collections.abc import Mapping

from services.billing.domain.invoices import Invoice
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money


def check_write_off(invoice: Invoice, amount: Money | None) -> Money:
    """What is given up of an invoice: the amount, or all that is open. Refused beyond that, and where nothing is."""
    if not invoice.open.minor:
        raise Refused("INVOICE_NOT_OPEN", f"nothing is open on invoice {invoice.number}: there is nothing to write off")
    if amount is None:
        return invoice.open
    check_currency(invoice, amount)
    if amount > invoice.open:
        raise Refused(
            "WRITE_OFF_EXCEEDS_OPEN", f"invoice {invoice.number} has {invoice.open} open: write off at most that"
        )
    return amount


def check_creditable(invoice: Invoice) -> None:
    """Refuse what its buyer has paid to somebody else."""
    if invoice.settled_elsewhere.minor:
        raise Refused(
            "INVOICE_SETTLED_ELSEWHERE",
            f"invoice {invoice.number} was paid where it was bought: refund the buyer there",
        )


def check_currency(invoice: Invoice, *amounts: Money) -> None:
    """Refuse amounts in another currency than its own."""
    own = invoice.total.currency
    for amount in amounts:
        if amount.currency != own:
            raise Refused(
                "INVOICE_CURRENCY_DIFFERS", f"invoice {invoice.number} is in {own}: credit it in that currency"
            )


def check_units(invoice: Invoice, units: Mapping[str, int], credited: Mapping[str, int]) -> None:
    """Refuse units of lines that it does not have, and more than are left to be credited: `credited` is line id → units before."""
    billed = {line.line_id: line.quantity for line in invoice.lines}
    if unknown := sorted(units.keys() - billed.keys()):
        raise InvalidArgument(
            "LINE_UNKNOWN", f"invoice {invoice.number} has no line {', '.join(unknown)}: credit lines of the invoice"
        )
    for line_id, wanted in units.items():
        before = credited.get(line_id, 0)
        if before + wanted > billed[line_id]:
            raise Refused(
                "UNITS_CREDITED",
                f"line {line_id} of invoice {invoice.number}: {before} of {billed[line_id]} units are credited already, "
                f"so {billed[line_id] - before} can be, not {wanted}",
            )


def check_freight(invoice: Invoice, freight: Money, credited: Money) -> None:
    """Refuse more freight than is left to be credited."""
    left = invoice.charges.freight - credited
    if freight > left:
        raise Refused(
            "FREIGHT_CREDITED",
            f"invoice {invoice.number} has {left} of freight left to be credited: credit at most that",
        )
