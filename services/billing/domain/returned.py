"""Crediting what came back of an order: which of its invoices bears which units."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from services.billing.domain.billable import Billable
from services.billing.domain.credit_notes import RestockingFee
from services.billing.domain.invoices import Invoice
from services.kernel.errors import Refused
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Returned:
    """Units of an order line that came back and are credited alike; one that `is_ours` the customer does not answer for."""

    line_id: str
    quantity: int
    shipment_id: str = ""
    percent: Decimal = Decimal(0)
    of_unit: Money | None = None
    is_ours: bool = False


@dataclass(slots=True)
class Share:
    """What of a return an invoice bears; units `by_hand` somebody had credited of it before they came."""

    units: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    fees: list[RestockingFee] = field(default_factory=list)
    by_hand: Counter[str] = field(default_factory=Counter)
    ours: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ByHand:
    """Units of an invoice's line that somebody credited and no return has brought yet; how many of them as goods that come back."""

    units: int
    as_returned: int


Key: TypeAlias = tuple[str, str]
"""An invoice and a line of it."""


class _Left:
    """What is left of an order's invoices while a return is spread: units to credit, and those that somebody credited before."""

    def __init__(self, invoices: Sequence[Invoice], credited: Mapping[Key, int], by_hand: Mapping[Key, ByHand]) -> None:
        self.invoices = invoices
        self.units = Counter(
            {
                (invoice.invoice_id, line.line_id): line.quantity - credited.get((invoice.invoice_id, line.line_id), 0)
                for invoice in invoices
                for line in invoice.lines
            }
        )
        self.by_hand = Counter({key: one.units for key, one in by_hand.items()})
        self.as_returned = Counter({key: one.as_returned for key, one in by_hand.items()})

    def of_its_own(self, one: Returned) -> list[Invoice]:
        """The invoices of its shipment; all of them where it names none that is invoiced."""
        own = [each for each in self.invoices if one.shipment_id and one.shipment_id in each.bills]
        return own or list(self.invoices)

    def announced(self, one: Returned, most: int) -> Iterator[tuple[Key, int]]:
        """Take units that somebody credited as goods that come back, of its own invoices."""
        for key, units in _take(self.as_returned, self.of_its_own(one), one.line_id, most):
            self.by_hand[key] -= units
            yield key, units

    def others_by_hand(self, one: Returned, most: int) -> Iterator[tuple[Key, int]]:
        """Take units that somebody credited for whatever reason, of any invoice."""
        for key, units in _take(self.by_hand, self.invoices, one.line_id, most):
            self.as_returned[key] = min(self.as_returned[key], self.by_hand[key])
            yield key, units


def _take(left: Counter[Key], invoices: Iterable[Invoice], line_id: str, most: int) -> Iterator[tuple[Key, int]]:
    """Take up to so many units of a line, of these invoices in turn."""
    for key in ((each.invoice_id, line_id) for each in invoices):
        units = min(most, left[key])
        if units > 0:
            left[key] -= units
            most -= units
            yield key, units


def spread(
    returned: Sequence[Returned],
    invoices: Sequence[Invoice],
    credited: Mapping[Key, int],
    by_hand: Mapping[Key, ByHand],
) -> dict[str, Share]:
    """Invoice id → its share: the invoice of the shipment where one is named, else the oldest first.

    Units that somebody credited as goods that come back are these first, and what was credited for another reason is these where
    nothing else is left: neither is credited again. Refused RETURN_NOT_INVOICED beyond what is invoiced.
    """
    left, found = _Left(invoices, credited, by_hand), defaultdict[str, Share](Share)
    for one in returned:
        missing = one.quantity
        for (invoice_id, line_id), units in left.announced(one, missing):
            found[invoice_id].by_hand[line_id] += units
            missing -= units
        for (invoice_id, line_id), units in _take(left.units, _bearing(one, invoices), one.line_id, missing):
            missing -= units
            found[invoice_id].units[line_id] += units
            found[invoice_id].ours[line_id] += units if one.is_ours else 0
            if one.percent or one.of_unit:
                found[invoice_id].fees.append(RestockingFee(line_id, units, one.percent, one.of_unit))
        for (invoice_id, line_id), units in left.others_by_hand(one, missing):
            found[invoice_id].by_hand[line_id] += units
            missing -= units
        if missing:
            raise Refused(
                "RETURN_NOT_INVOICED",
                f"{missing} units of line {one.line_id} came back and are on no invoice that they could be credited of",
            )
    return dict(found)


def to_invoice(
    returned: Sequence[Returned],
    invoices: Sequence[Invoice],
    credited: Mapping[Key, int],
    by_hand: Mapping[Key, ByHand],
    waiting: Iterable[Billable],
) -> dict[str, dict[str, int]]:
    """Shipment → line id → units that came back while they waited for their invoice: it is made, so that they are credited of it.

    What is on an invoice of its own shipment is credited of that. Other shipments give units only beyond all that is invoiced.
    """
    left = _Left(invoices, credited, by_hand)
    spare = {one.shipment_id: dict(one.quantities) for one in waiting}
    found: dict[str, dict[str, int]] = {}
    for one in returned:
        missing = _not_invoiced(one, left, is_own=one.shipment_id in spare)
        for shipment_id in [one.shipment_id] if one.shipment_id in spare else list(spare):
            units = min(missing, spare[shipment_id].get(one.line_id, 0))
            if units > 0:
                missing -= units
                spare[shipment_id][one.line_id] -= units
                parts = found.setdefault(shipment_id, {})
                parts[one.line_id] = parts.get(one.line_id, 0) + units
    return found


def _not_invoiced(one: Returned, left: _Left, *, is_own: bool) -> int:
    """Units of it that neither wait to be credited nor were credited by hand; of its own shipment, by that one's invoices alone."""
    bearing = [each for each in left.invoices if not is_own or one.shipment_id in each.bills]
    missing = one.quantity
    if bearing:
        missing -= sum(units for _, units in left.announced(one, missing))
    missing -= sum(units for _, units in _take(left.units, bearing, one.line_id, missing))
    return missing if is_own else missing - sum(units for _, units in left.others_by_hand(one, missing))


def _bearing(one: Returned, invoices: Sequence[Invoice]) -> list[Invoice]:
    """The invoice of the shipment first, and the others behind it: what it cannot bear was credited before."""
    return sorted(invoices, key=lambda each: not (one.shipment_id and one.shipment_id in each.bills))
