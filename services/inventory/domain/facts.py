"""What inventory tells others, member by member.

stock_reserved, stock_allocated, stock_released and stock_expected (other days than before) go to orders, one an order:
{"lines": {line_id: {"allocated": units held or shipped, "backordered": units waiting, "expected_on": ISO date or ""}},
"is_complete": nothing waits}. Quantities are absolute.
stock_received, stock_issued and stock_adjusted go to billing, one a movement: {"warehouse_id", "sku", "quantity",
"value_minor", "currency"}; quantity and value carry a sign when adjusted and are positive otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.kernel.money import Money

RESERVED = "stock_reserved"
ALLOCATED = "stock_allocated"
RELEASED = "stock_released"
EXPECTED = "stock_expected"
RECEIVED = "stock_received"
ISSUED = "stock_issued"
ADJUSTED = "stock_adjusted"

FOR_ORDERS = frozenset({RESERVED, ALLOCATED, RELEASED, EXPECTED})
FOR_BILLING = frozenset({RECEIVED, ISSUED, ADJUSTED})


@dataclass(frozen=True, slots=True)
class LineStanding:
    """Where an order line stands: units held or shipped, units waiting, and when the last of those is expected."""

    line_id: str
    allocated: int
    backordered: int
    expected_on: str


@dataclass(frozen=True, slots=True)
class StockChange:
    """A movement of stock as the ledger must see it."""

    movement_id: str
    warehouse_id: str
    sku: str
    quantity: int
    value: Money


def order_detail(standings: Iterable[LineStanding]) -> dict[str, object]:
    """The detail of a fact for orders."""
    lines = {
        line.line_id: {"allocated": line.allocated, "backordered": line.backordered, "expected_on": line.expected_on}
        for line in standings
    }
    return {"lines": lines, "is_complete": not any(line["backordered"] for line in lines.values())}


def change_detail(change: StockChange) -> dict[str, object]:
    """The detail of a fact for billing."""
    return {
        "warehouse_id": change.warehouse_id,
        "sku": change.sku,
        "quantity": change.quantity,
        "value_minor": change.value.minor,
        "currency": change.value.currency,
    }
