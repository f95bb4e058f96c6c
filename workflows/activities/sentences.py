"""What a step's answer says to the reader of a workflow's history: where from, at what cost, what is missing. Never more than a few rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.types.v1 import types_pb2
from services.kernel.formats import amount
from services.kernel.money import Money

MOST = 5
"""Rows that a history shows of a list: it does not grow with the lines of an order."""


def sources(allocations: Iterable[inventory_pb2.Allocation], quotes: Mapping[str, int], currency: str) -> list[str]:
    """Where held units come from: "60 units from wh_dallas, quoted 312.40 USD for the whole order"; largest first.

    `quotes` is warehouse → freight and handling of the whole order from there, in minor units; nobody's without a currency.
    """
    units: Counter[str] = Counter()
    for held in allocations:
        units[held.warehouse_id] += held.quantity
    rows = sorted(units.items(), key=lambda row: (-row[1], row[0]))
    return _few([f"{_units(count)} from {place}{_quoted(quotes.get(place), currency)}" for place, count in rows])


def missing(shortages: Iterable[inventory_pb2.Shortage]) -> list[str]:
    """What waits for supply: "15 of PUMP-100, expected 2026-12-08"; each SKU once, with its latest day."""
    units: Counter[str] = Counter()
    days: dict[str, list[str]] = defaultdict(list)
    for short in shortages:
        units[short.sku] += short.quantity
        days[short.sku].append(short.expected_on)
    return _few([f"{count} of {sku}, {_expected(days[sku])}" for sku, count in sorted(units.items())])


def uncovered(units: int) -> list[str]:
    """What waits for credit."""
    return [f"{units} units wait for room under the credit limit"] if units else []


def released(shipments: Sequence[fulfillment_pb2.Shipment]) -> list[str]:
    """New shipments: "SH-1001: 60 units from wh_dallas, promised for 2026-12-04"."""
    return _few([_shipment(one) for one in shipments])


def left(shipment: fulfillment_pb2.Shipment) -> str:
    """A shipment that has left: "SH-1001 left wh_dallas with ups, freight 23.40 USD"."""
    if shipment.is_service:
        return f"{shipment.number} was performed"
    freight = f", freight {_money(shipment.freight_cost)}" if shipment.HasField("freight_cost") else ""
    return f"{shipment.number} left {shipment.warehouse_id} with {shipment.carrier}{freight}"


def back(shipment: fulfillment_pb2.Shipment) -> str:
    """A shipment that never left: "SH-1001 had not left wh_dallas, SH-1002 has its goods: wrong pallet"."""
    how = shipment.reversal
    return f"{shipment.number} had not left {shipment.warehouse_id}, {how.replaced_by} has its goods: {how.reason}"


def _shipment(one: fulfillment_pb2.Shipment) -> str:
    what = f"{one.number}: {_units(sum(line.quantity for line in one.lines))}"
    where = " of services" if one.is_service else f" from {one.warehouse_id}"
    return f"{what}{where}" + (f", promised for {one.promised_on}" if one.promised_on else "")


def _expected(days: Sequence[str]) -> str:
    return f"expected {max(days)}" if all(days) else "no day known yet"


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"


def _quoted(minor: int | None, currency: str) -> str:
    return (
        ""
        if minor is None or not currency
        else f", quoted {amount(Money(minor, currency))} {currency} for the whole order"
    )


def _money(money: types_pb2.Money) -> str:
    return f"{amount(Money(money.minor_units, money.currency))} {money.currency}"


def _few(rows: list[str]) -> list[str]:
    return rows if len(rows) <= MOST else [*rows[: MOST - 1], f"and {len(rows) - MOST + 1} more"]
