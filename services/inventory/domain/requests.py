"""What inventory can be asked to change, as values whose shape is already checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.inventory.domain.adjusting import Carried
from services.inventory.domain.allocation import LineDemand
from services.inventory.domain.allocation_policy import Claim
from services.inventory.domain.tariffs import Candidate
from services.kernel.money import UnitPrice

DEFAULT_LEASE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Demand:
    """Hold stock for an order; each line id once, units positive.

    `weights` are the grams of a unit by SKU, `currency` is that of all costs, `destination` stands
    for the address; empty where nobody said. `hazardous` are the SKUs that are dangerous goods.
    """

    order_id: str
    lines: tuple[LineDemand, ...]
    candidates: tuple[Candidate, ...]
    placed_at_micros: int
    lease_seconds: int
    weights: Mapping[str, int] = field(default_factory=dict)
    currency: str = ""
    claim: Claim = field(default_factory=Claim)
    customer_id: str = ""
    destination: str = ""
    hazardous: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What a changed order wants in all, zero where it wants nothing more, and what its shipments carry.

    Without candidates the known ones stay.
    """

    demand: Demand
    carried: Carried


@dataclass(frozen=True, slots=True)
class Receipt:
    """Goods arrive, of the expected receipt that is named, or of one of the same reference, or of those that were to come first."""

    warehouse_id: str
    sku: str
    quantity: int
    unit_cost: UnitPrice
    reference: str
    expected_receipt_id: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A count or a correction: units found (positive) or missing (negative).

    Units found have the unit cost that was given; `standard_cost` is the catalog's.
    """

    warehouse_id: str
    sku: str
    delta: int
    reason: str
    unit_cost: UnitPrice | None = None
    standard_cost: UnitPrice | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """Supply that is to come; the day is an ISO date, an empty kind leaves it to what is known of the reference."""

    warehouse_id: str
    sku: str
    quantity: int
    expected_on: str
    reference: str
    kind: str = ""
    announced_by: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """A shipment leaves; without lines it carries no stock."""

    order_id: str
    shipment_id: str
    warehouse_id: str
    lines: tuple[LineDemand, ...]
