"""Goods that customers send back: what they had cost when they left, and what becomes of them."""

from dataclasses import dataclass

from services.inventory.domain.facts import QUARANTINED, RETURNED, SCRAPPED, TO_VENDOR
from services.kernel.errors import Refused
from services.kernel.money import Money, share

RESTOCK, REFURBISH, QUARANTINE, SCRAP, RETURN_TO_VENDOR = (
    "restock", "refurbish", "quarantine", "scrap", "return_to_vendor",
)  # fmt: skip
FACTS = {
    RESTOCK: RETURNED,
    REFURBISH: QUARANTINED,
    QUARANTINE: QUARANTINED,
    SCRAP: SCRAPPED,
    RETURN_TO_VENDOR: TO_VENDOR,
}
"""Disposition → kind of the fact by which the ledger hears of it."""


@dataclass(frozen=True, slots=True)
class BackUnits:
    """Units of a SKU that become the same."""

    sku: str
    quantity: int
    disposition: str


@dataclass(frozen=True, slots=True)
class Back:
    """Goods of a return that are in a warehouse, whichever they had left; each SKU and disposition comes once."""

    request_id: str
    order_id: str
    return_id: str
    warehouse_id: str
    units: tuple[BackUnits, ...]


@dataclass(frozen=True, slots=True)
class Issued:
    """What of a SKU had left for an order, and what of that has come back: units, and what they had cost."""

    quantity: int
    value: Money
    returned: int
    returned_value: Money

    def cost_of(self, sku: str, units: int) -> Money:
        """What the next units that come back had cost; all of them together what they had cost. Refused beyond what had left."""
        left = self.quantity - self.returned
        if units > left:
            raise Refused(
                "RETURN_EXCEEDS_ISSUED",
                f"{left} units of {sku} that had left for this order are not back yet, not {units}: count them again",
            )
        return share(self.value, units, self.quantity, before=self.returned, given=self.returned_value)
