"""Crediting what came back of an order: which of its invoices bears which units."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from services.billing.domain.billable import Billable
from services.billing.domain.credit_notes import RestockingFee
from services.billing.domain.invoices import Invoice
from services.kernel.errors import Refused
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Returned:
    """Units of an order line that came back and are credited alike; with no fee where the customer does not answer for it."""

    line_id: str
    quantity: int
    shipment_id: str = ""
    percent: Decimal = Decimal(0)
    of_unit: Money | None = None


@dataclass(slots=True)
class Share:
    """What of a return an invoice bears."""

    units: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    fees: list[RestockingFee] = field(default_factory=list)


def spread(
    returned: Sequence[Returned],
    invoices: Sequence[Invoice],
    credited: Mapping[tuple[str, str], int],
    by_hand: Mapping[str, int],
) -> dict[str, Share]:
    """Invoice id → its share: the invoice of the shipment where one is named, else the oldest first.

    `credited` is (invoice id, line id) → units credited before, `by_hand` line id → those of them that somebody credited, which are not
    credited again when they come. Refused RETURN_NOT_INVOICED beyond what is invoiced.
    """
    left = _left(invoices, credited)
    found: dict[str, Share] = {}
    for one in returned:
        missing = one.quantity
        for invoice in _bearing(one, invoices):
            key = (invoice.invoice_id, one.line_id)
            units = min(missing, left.get(key, 0))
            if not units:
                continue
            left[key] -= units
            missing -= units
            share = found.setdefault(invoice.invoice_id, Share())
            share.units[one.line_id] += units
            if one.percent or one.of_unit:
                share.fees.append(RestockingFee(one.line_id, units, one.percent, one.of_unit))
        if missing > by_hand.get(one.line_id, 0):
            raise Refused(
                "RETURN_NOT_INVOICED",
                f"{missing} units of line {one.line_id} came back and are on no invoice that they could be credited of",
            )
    return found


def to_invoice(
    returned: Sequence[Returned],
    invoices: Sequence[Invoice],
    credited: Mapping[tuple[str, str], int],
    by_hand: Mapping[str, int],
    waiting: Iterable[Billable],
) -> dict[str, dict[str, int]]:
    """Shipment → line id → units that came back while they waited for their invoice: it is made, so that they are credited of it.

    What is on an invoice of its own shipment is credited of that. Other shipments give units only beyond all that is invoiced.
    """
    left = _left(invoices, credited)
    spare = {one.shipment_id: dict(one.quantities) for one in waiting}
    found: dict[str, dict[str, int]] = {}
    for one in returned:
        is_own = one.shipment_id in spare
        bearing = [each for each in invoices if not is_own or one.shipment_id in each.bills]
        missing = one.quantity - _taken(left, bearing, one) - (0 if is_own else by_hand.get(one.line_id, 0))
        for shipment_id in [one.shipment_id] if is_own else list(spare):
            units = min(missing, spare[shipment_id].get(one.line_id, 0))
            if units > 0:
                missing -= units
                spare[shipment_id][one.line_id] -= units
                parts = found.setdefault(shipment_id, {})
                parts[one.line_id] = parts.get(one.line_id, 0) + units
    return found


def _left(invoices: Sequence[Invoice], credited: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """(Invoice id, line id) → units of it that are not credited."""
    return {
        (invoice.invoice_id, line.line_id): line.quantity - credited.get((invoice.invoice_id, line.line_id), 0)
        for invoice in invoices
        for line in invoice.lines
    }


def _taken(left: dict[tuple[str, str], int], invoices: Sequence[Invoice], one: Returned) -> int:
    """Units of it that these invoices bear, which are not left any more."""
    missing = one.quantity
    for key in ((each.invoice_id, one.line_id) for each in invoices):
        units = min(missing, left.get(key, 0))
        if units:
            left[key] -= units
            missing -= units
    return one.quantity - missing


def _bearing(one: Returned, invoices: Sequence[Invoice]) -> list[Invoice]:
    """The invoice of the shipment first, and the others behind it: what it cannot bear was credited before."""
    return sorted(invoices, key=lambda each: not (one.shipment_id and one.shipment_id in each.bills))
