"""Goods that came back, or were damaged, and are kept apart: in no stock until somebody decides what becomes of them."""

from dataclasses import dataclass
from datetime import datetime

from services.inventory.domain.facts import QUARANTINE_RELEASED, QUARANTINE_SCRAPPED, QUARANTINE_TO_VENDOR
from services.kernel.errors import Refused
from services.kernel.money import Money, share

RELEASE, SCRAP, RETURN_TO_VENDOR = "release", "scrap", "return_to_vendor"
OUTCOMES = {RELEASE: QUARANTINE_RELEASED, SCRAP: QUARANTINE_SCRAPPED, RETURN_TO_VENDOR: QUARANTINE_TO_VENDOR}
"""How a quarantine ends → kind of the fact by which the ledger hears of it."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Units that came together: all that came, what they had cost, and what of both is decided; `reason` says why where no return brought them."""

    movement_id: str
    warehouse_id: str
    sku: str
    disposition: str
    order_id: str
    return_id: str
    taken_at: datetime
    quantity: int
    value: Money
    decided: int
    decided_value: Money
    reason: str = ""

    @property
    def left(self) -> int:
        """Units on which nobody has decided."""
        return self.quantity - self.decided

    def cost_of(self, units: int) -> Money:
        """What the next units had cost; all of them together what they had cost. Refused beyond what is left."""
        if units > self.left:
            raise Refused(
                "MORE_THAN_QUARANTINED",
                f"{self.left} units of {self.sku} are still undecided, not {units}: look at the list again",
            )
        return share(self.value, units, self.quantity, before=self.decided, given=self.decided_value)


@dataclass(frozen=True, slots=True)
class Decision:
    """How the quarantine of units ends, and why."""

    movement_id: str
    quantity: int
    outcome: str
    reason: str
    decided_by: str
