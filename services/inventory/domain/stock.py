"""Stock of a SKU in a warehouse, as people read it."""

from dataclasses import dataclass

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
