"""What inventory tells others: where an order stands, to orders, and each movement of stock, to billing."""

from dataclasses import dataclass

from services.kernel.money import Money

RESERVED = "stock_reserved"
ALLOCATED = "stock_allocated"
RELEASED = "stock_released"
EXPECTED = "stock_expected"
SOURCING_ASKED = "sourcing_asked"
RECEIVED = "stock_received"
ISSUED = "stock_issued"
ADJUSTED = "stock_adjusted"
ISSUE_REVERSED = "stock_issue_reversed"
RETURNED = "stock_returned"
SCRAPPED = "stock_scrapped"
QUARANTINED = "stock_quarantined"
DAMAGED = "damage_quarantined"
TO_VENDOR = "stock_returned_to_vendor"
QUARANTINE_RELEASED = "quarantine_released"
QUARANTINE_SCRAPPED = "quarantine_scrapped"
QUARANTINE_TO_VENDOR = "quarantine_returned_to_vendor"

FOR_ORDERS = frozenset({RESERVED, ALLOCATED, RELEASED, EXPECTED, SOURCING_ASKED})
FOR_BILLING = frozenset(
    {
        RECEIVED, ISSUED, ADJUSTED, ISSUE_REVERSED, RETURNED, SCRAPPED, QUARANTINED, DAMAGED, TO_VENDOR,
        QUARANTINE_RELEASED, QUARANTINE_SCRAPPED, QUARANTINE_TO_VENDOR,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineStanding:
    """Where an order line stands: units held or shipped, units waiting, and when the last of those is expected, of which supply.

    `lead_days` are the working days from then until the customer has them.
    """

    line_id: str
    allocated: int
    backordered: int
    expected_on: str
    lead_days: int = 0
    expected_reference: str = ""


@dataclass(frozen=True, slots=True)
class StockStanding:
    """Where an order stands, all its lines; the quantities are absolute."""

    lines: tuple[LineStanding, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing waits."""
        return not any(line.backordered for line in self.lines)


@dataclass(frozen=True, slots=True)
class StockChange:
    """A movement of stock as the ledger must see it; quantity and value carry a sign when adjusted and are positive otherwise."""

    movement_id: str
    warehouse_id: str
    sku: str
    quantity: int
    value: Money
