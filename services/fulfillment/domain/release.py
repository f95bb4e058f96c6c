"""What of an order's allocation has no shipment yet, and how it is cut into shipments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.fulfillment.domain.address import Address
from services.fulfillment.domain.rates import Rate, cheapest
from services.fulfillment.domain.schedules import Timing
from services.fulfillment.domain.shipment import Shipment, ShipmentLine, State
from services.fulfillment.domain.workdays import promised_on

LineKey = tuple[str, str, str]
"""Order line, SKU, warehouse (empty for a service)."""


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """Units of an order line ever allocated in one warehouse and not cancelled: held plus shipped."""

    line_id: str
    sku: str
    description: str
    warehouse_id: str
    quantity: int
    unit_weight_grams: int

    @property
    def key(self) -> LineKey:
        """What is counted together."""
        return self.line_id, self.sku, self.warehouse_id


@dataclass(frozen=True, slots=True)
class Release:
    """What the warehouse is asked to send for an order: its number and address for the labels, and all it was ever allocated."""

    order_id: str
    order_number: str
    ship_to: Address
    allocated: tuple[ReleaseLine, ...]
    withheld: frozenset[str] = frozenset()


def unreleased(allocated: Iterable[ReleaseLine], shipments: Iterable[Shipment]) -> list[ReleaseLine]:
    """What no shipment carries yet, sorted by line, SKU and warehouse.

    Both sides count everything since the order began: the allocation includes what has shipped and the shipments include those
    that have left. So it does not matter whether inventory has heard of the last shipment when it was asked.
    """
    totals: dict[LineKey, ReleaseLine] = {}
    for line in allocated:
        known = totals.get(line.key)
        totals[line.key] = replace(line, quantity=line.quantity + known.quantity) if known else line
    carried = released_totals(shipments)
    left = (replace(line, quantity=line.quantity - carried.get(key, 0)) for key, line in sorted(totals.items()))
    return [line for line in left if line.quantity > 0]


def released_totals(shipments: Iterable[Shipment]) -> dict[LineKey, int]:
    """(line, SKU, warehouse) → units in shipments that were not cancelled, also those that have left."""
    totals: dict[LineKey, int] = {}
    for shipment in shipments:
        if shipment.state is State.CANCELLED:
            continue
        for line in shipment.lines:
            key = (line.line_id, line.sku, shipment.warehouse_id)
            totals[key] = totals.get(key, 0) + line.quantity
    return totals


def by_warehouse(lines: Iterable[ReleaseLine]) -> dict[str, tuple[ShipmentLine, ...]]:
    """Warehouse id → the lines of its one new shipment, in order of warehouse id; services first, under the empty id."""
    cut: dict[str, list[ShipmentLine]] = {}
    for line in lines:
        content = ShipmentLine(line.line_id, line.sku, line.description, line.quantity, line.unit_weight_grams)
        cut.setdefault(line.warehouse_id, []).append(content)
    return {warehouse_id: tuple(cut[warehouse_id]) for warehouse_id in sorted(cut)}


def join(
    lines: Sequence[ReleaseLine],
    earlier: Iterable[Shipment],
    wanted: Release,
    today: date,
    in_waves: Collection[str] = (),
) -> tuple[list[tuple[Shipment, Shipment]], list[ReleaseLine]]:
    """What goes into shipments that are not picked yet, each before and after, and the lines that need one of their own.

    Same warehouse and address, the oldest first; none of which units are asked back or a change holds a line back, and none whose
    promised day is over: it keeps its day, and what joins it arrives with it. Nor one of those in a wave (`in_waves` are their ids): a picker
    walks by its list, which has been printed.
    """
    waiting: dict[str, Shipment] = {}
    for each in sorted(earlier, key=lambda one: one.serial):
        if each.shipment_id not in in_waves and _may_be_joined(each, wanted, today):
            waiting.setdefault(each.warehouse_id, each)
    joined = {place: cut for place, cut in by_warehouse(lines).items() if place in waiting}
    together = [
        (waiting[place], replace(waiting[place], lines=_merged(waiting[place].lines, cut)))
        for place, cut in joined.items()
    ]
    return together, [line for line in lines if line.warehouse_id not in joined]


def _may_be_joined(each: Shipment, wanted: Release, today: date) -> bool:
    is_open = each.state is State.RELEASED and not each.is_service and not each.recall_id
    is_touched = any(line.line_id in wanted.withheld for line in each.lines)
    is_in_time = each.promised_on is None or each.promised_on >= today
    return is_open and not is_touched and each.ship_to == wanted.ship_to and is_in_time


def _merged(lines: Sequence[ShipmentLine], more: Iterable[ShipmentLine]) -> tuple[ShipmentLine, ...]:
    found = {(line.line_id, line.sku): line for line in lines}
    for line in more:
        known = found.get((line.line_id, line.sku))
        found[line.line_id, line.sku] = replace(known, quantity=known.quantity + line.quantity) if known else line
    return tuple(found.values())


def new_shipments(
    release: Release,
    lines: Iterable[ReleaseLine],
    rates: Sequence[Rate],
    take_serials: Callable[[int], int],
    new_id: Callable[[], str],
    now: datetime,
    today: date,
    timing: Timing,
) -> list[Shipment]:
    """One shipment a warehouse and one for all services; `rates` are those into the address's zone, `today` the business day.

    `take_serials(count)` gives the first of `count` numbers in a row.
    """
    cut = by_warehouse(lines)
    first = take_serials(len(cut))
    drafts = [
        Shipment(
            new_id(),
            first + index,
            release.order_id,
            release.order_number,
            warehouse_id,
            release.ship_to,
            content,
            None,
            now,
        )
        for index, (warehouse_id, content) in enumerate(cut.items())
    ]
    return [replace(draft, promised_on=promise(draft, rates, today, timing)) for draft in drafts]


def promise(shipment: Shipment, rates: Iterable[Rate], released_on: date, timing: Timing) -> date | None:
    """The promised day by the cheapest rate; a service needs no road; None when no carrier goes there."""
    if shipment.is_service:
        return promised_on(released_on, 0)
    best = cheapest([rate for rate in rates if rate.warehouse_id == shipment.warehouse_id], shipment.load)
    return timing.promised_on(best, released_on, shipment.load.unit_count) if best else None
