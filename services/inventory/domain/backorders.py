"""Who waits for stock, who gets it first, and when it is due."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.inventory.domain.allocation_policy import LINE_COMPLETE, PARTIAL
from services.inventory.domain.tariffs import Candidate


@dataclass(frozen=True, slots=True)
class Place:
    """What the allocation policy makes of a backorder: less `priority` is sooner; while it `is_manual` it waits for a person."""

    priority: int = 0
    delivery: str = PARTIAL
    is_manual: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A backorder in the queue: units still waiting, positive, and the warehouses that may fill it."""

    backorder_id: str
    reservation_id: str
    order_id: str
    line_id: str
    sku: str
    quantity: int
    placed_at_micros: int
    candidates: tuple[Candidate, ...]
    place: Place = Place()

    def lead_days_from(self, warehouse_id: str) -> int:
        """Working days from when goods are in a warehouse until the customer has them; 0 where nobody said."""
        return next((place.lead_days for place in self.candidates if place.warehouse_id == warehouse_id), 0)

    @property
    def turn(self) -> tuple[int, int, str, str]:
        """Sorts the queue: who comes first under the allocation policy, and of equals who placed first, is filled first."""
        return self.place.priority, self.placed_at_micros, self.order_id, self.line_id

    @property
    def is_whole(self) -> bool:
        """Whether it gets all that it waits for at once or nothing."""
        return self.place.delivery == LINE_COMPLETE


@dataclass(frozen=True, slots=True)
class Frozen:
    """Units that an order which ships complete holds in one warehouse while it waits for the rest.

    `backorder` is the line's place in the queue, with the units that it waits for already. Past the policy's days it `is_overdue`.
    """

    backorder: Waiting
    warehouse_id: str
    quantity: int
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """Units that a backorder gets from one warehouse, positive; `given_up` by another order where they were not free."""

    backorder: Waiting
    warehouse_id: str
    quantity: int
    given_up: Frozen | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """An expected receipt and how much of it has not come yet."""

    expected_receipt_id: str
    warehouse_id: str
    quantity: int
    expected_on: str
    reference: str


def due(units_through: int, supply: Sequence[Supply], eligible: Collection[str]) -> Supply | None:
    """The receipt that will bring the last unit of a backorder; None when what is announced does not reach it.

    `units_through` counts the queue up to and including the backorder; `supply` is sorted by date; only receipts at an
    eligible warehouse count.
    """
    reached = 0
    for receipt in supply:
        if receipt.warehouse_id in eligible:
            reached += receipt.quantity
            if reached >= units_through:
                return receipt
    return None


def days(queue: Sequence[Waiting], supply: Sequence[Supply]) -> dict[str, str]:
    """Backorder id → ISO date of the receipt that will bring its last unit, or ""; the queue is all of one SKU, in turn."""
    found, through = {}, 0
    for one in queue:
        through += one.quantity
        brings = due(through, supply, {place.warehouse_id for place in one.candidates})
        found[one.backorder_id] = brings.expected_on if brings else ""
    return found


def arrived(supply: Sequence[Supply], quantity: int) -> dict[str, int]:
    """Expected receipt id → units of it that have now come, never zero; oldest announcement first.

    A receipt larger than all that was announced uses up all of it.
    """
    come: dict[str, int] = {}
    missing = quantity
    for receipt in supply:
        taken = min(missing, receipt.quantity)
        if taken:
            come[receipt.expected_receipt_id] = taken
            missing -= taken
    return come
