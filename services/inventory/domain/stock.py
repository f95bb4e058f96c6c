"""Stock of a SKU in a warehouse, as people read it."""

from dataclasses import dataclass

from services.inventory.domain.backorders import Supply
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Units in the building, those of them promised, those announced, and what the building's are worth."""

    warehouse_id: str
    sku: str
    on_hand: int
    allocated: int
    expected: int
    expected_on: str
    value: Money | None

    @property
    def available(self) -> int:
        """Units that may still be promised."""
        return self.on_hand - self.allocated


@dataclass(frozen=True, slots=True)
class Availability:
    """Units of a SKU at all open warehouses together: in the buildings, free to promise, waited for by orders, and still to come.

    `inbound` is every expected receipt, the first to come first.
    """

    sku: str
    on_hand: int = 0
    available: int = 0
    backordered: int = 0
    inbound: tuple[Supply, ...] = ()
