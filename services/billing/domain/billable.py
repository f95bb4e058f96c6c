"""Shipments that have left and wait for their invoice, and which of them become one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from services.billing.domain.charging import BilledSoFar
from services.billing.domain.headers import Header
from services.billing.domain.invoices import BillableOrder, bill
from services.kernel.errors import Refused
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Billable:
    """A shipment that left. `quantities` is line id → units that no invoice of a part of it bills; `invoice_on` the day its invoice is to bear, None while nobody knows.

    `amount` is what its invoice comes to as the order stood when it left. `invoice_id` is empty while it waits, `draft_id` while no
    draft holds it.
    """

    shipment_id: str
    order_id: str
    order_number: str
    customer_id: str
    policy: str
    shipped_on: date
    invoice_on: date | None
    amount: Money
    recorded_at: datetime
    quantities: Mapping[str, int]
    position: int = 0
    invoice_id: str = ""
    draft_id: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """An order that is about to have this version."""

    order_id: str
    customer_id: str
    currency: str
    least_version: int


@dataclass(frozen=True, slots=True)
class OrderToBill:
    """An order as it stands, whose shipments are to be invoiced, and what its invoices say of it."""

    order: BillableOrder
    header: Header
    version: int


@dataclass(frozen=True, slots=True)
class GoodsToBill:
    """What one invoice bills: shipments of one order, line id → units of all of them, and the day it bears.

    Without shipments it bills units that have not shipped. `parts` is shipment → line id → units where it bills no shipment whole.
    """

    of: OrderToBill
    shipment_ids: tuple[str, ...]
    quantities: Mapping[str, int]
    invoiced_on: date
    parts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def units_of(waiting: Iterable[Billable]) -> Counter[str]:
    """Line id → units of all of them."""
    units: Counter[str] = Counter()
    for one in waiting:
        units.update(one.quantities)
    return units


def lines_of(waiting: Iterable[Billable]) -> dict[str, int]:
    """Order id → how many of its lines are in these shipments."""
    found: dict[str, set[str]] = {}
    for one in waiting:
        found.setdefault(one.order_id, set()).update(one.quantities)
    return {order_id: len(lines) for order_id, lines in found.items()}


def parts_of(waiting: Iterable[Billable], units: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Shipment → line id → units that are taken of it for these, of the first to leave first; Refused UNITS_NOT_WAITING beyond what waits."""
    left, parts = dict(units), dict[str, dict[str, int]]()
    for one in waiting:
        taken = {line: min(count, left[line]) for line, count in one.quantities.items() if left.get(line)}
        left.update({line: left[line] - count for line, count in taken.items()})
        if taken:
            parts[one.shipment_id] = taken
    for line_id, missing in left.items():
        if missing:
            raise Refused(
                "UNITS_NOT_WAITING",
                f"{units[line_id] - missing} units of line {line_id} wait for an invoice: invoice at most that",
            )
    return parts


def is_whole(waiting: Iterable[Billable], parts: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether all that waits of each shipment that has a part is taken."""
    return all(dict(one.quantities) == parts[one.shipment_id] for one in waiting if one.shipment_id in parts)


def goods_of(
    of: OrderToBill, waiting: Iterable[Billable], parts: Mapping[str, Mapping[str, int]], today: date
) -> GoodsToBill:
    """What an invoice of these parts bills; whole shipments where nothing of any is left."""
    billed = [one for one in waiting if one.shipment_id in parts]
    goods = GoodsToBill(of, tuple(one.shipment_id for one in billed), units_of(billed), today)
    if is_whole(billed, parts):
        return goods
    units: Counter[str] = Counter()
    for lines in parts.values():
        units.update(lines)
    return replace(goods, quantities=units, parts=parts)


def amount_of(
    order: BillableOrder, quantities: Mapping[str, int], waiting: Iterable[Billable], so_far: BilledSoFar
) -> Money:
    """What a shipment adds to the order's bill, behind those of the order that wait already; never negative. Refused as bill() is."""
    earlier = tuple(waiting)
    units = units_of(earlier)
    units.update(quantities)
    before = Money.total((one.amount for one in earlier), order.currency)
    return max(bill(order, units, so_far).charges.total - before, Money.zero(order.currency))


def check_waiting(wanted: Iterable[Billable], numbers: Mapping[str, str], draft_id: str = "") -> None:
    """Refuse what is invoiced already, or held by another draft; `numbers` is invoice id → number."""
    for one in wanted:
        if one.invoice_id:
            raise Refused(
                "ALREADY_INVOICED",
                f"shipment {one.shipment_id} is on invoice {numbers[one.invoice_id]} already: leave it out",
            )
        if one.draft_id not in ("", draft_id):
            raise Refused(
                "HELD_BY_DRAFT",
                f"shipment {one.shipment_id} is held by draft {one.draft_id}: post or discard that first",
            )
