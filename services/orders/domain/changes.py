"""Change orders: what is asked to change of an order, its states, and the difference people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.kernel.errors import Refused
from services.kernel.money import Money, UnitPrice
from services.orders.domain.order import Address

AWAITING_CUSTOMER = "awaiting_customer"
IN_REVIEW = "in_review"
AGREED = "agreed"
AWAITING_WAREHOUSE = "awaiting_warehouse"
APPLIED = "applied"
DECLINED = "declined"
EXPIRED = "expired"
REJECTED = "rejected"
WITHDRAWN = "withdrawn"
STATES = (AWAITING_CUSTOMER, IN_REVIEW, AGREED, AWAITING_WAREHOUSE, APPLIED, DECLINED, EXPIRED, REJECTED, WITHDRAWN)
PENDING = frozenset({AWAITING_CUSTOMER, IN_REVIEW, AGREED, AWAITING_WAREHOUSE})

TAX_DETERMINED = "tax"
"""The kind of the change by which an order that waited for its tax gets it."""

TRANSITIONS: dict[str, dict[str, str]] = {
    AWAITING_CUSTOMER: {
        "accept": AGREED,
        "decline": DECLINED,
        "expire": EXPIRED,
        "withdraw": WITHDRAWN,
        "reject": REJECTED,
    },
    IN_REVIEW: {"approve": AGREED, "reject": REJECTED, "expire": EXPIRED, "withdraw": WITHDRAWN},
    AGREED: {"review": IN_REVIEW, "recall": AWAITING_WAREHOUSE, "apply": APPLIED, "reject": REJECTED},
    AWAITING_WAREHOUSE: {"acknowledge": AGREED, "reject": REJECTED, "call_off": WITHDRAWN},
    APPLIED: {},
    DECLINED: {},
    EXPIRED: {},
    REJECTED: {},
    WITHDRAWN: {},
}
"""State → verb → next state. What is not here is refused."""


def move(state: str, verb: str) -> str:
    """The state after a verb; Refused CHANGE_HAS_ENDED when the table does not hold it."""
    following = TRANSITIONS[state].get(verb)
    if following is None:
        sentence = f"the change is {state.replace('_', ' ')} already: reload the order and see where it stands"
        raise Refused("CHANGE_HAS_ENDED", sentence, state=state)
    return following


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line delta. Without `line_id` it adds a line; quantity 0 removes one; another SKU substitutes it.

    None leaves a member as it is. A substitution takes the quantity and the requested day of the line it replaces unless given.
    """

    line_id: str = ""
    sku: str = ""
    quantity: int | None = None
    unit_price: UnitPrice | None = None


@dataclass(frozen=True, slots=True)
class SpokenConsent:
    """A customer's agreement that one of ours heard before proposing: who of the customer, when, and how."""

    given_by: str
    given_at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What somebody asks to change; members that are None stay as they are.

    One that `is_cancellation` names for each line the units that stay wanted: what it had beside them is kept as cancelled, and as
    closed where it `is_closing`. Its customer `keeps_cash` with us where nothing is
    refunded for it.
    """

    reason: str
    lines: tuple[LineChange, ...] = ()
    ship_to: Address | None = None
    requested_on: date | None = None
    cancel_after: date | None = None
    is_ship_complete: bool | None = None
    discount: Money | None = None
    freight: Money | None = None
    consent: SpokenConsent | None = None
    is_cancellation: bool = False
    is_closing: bool = False
    keeps_cash: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of the diff: what, before and after, as people read it; `line_id` when it is about a line.

    `kind` is line_added, line_removed, substituted, quantity, price, address, date, last_day, split, discount, freight, tax or total.
    """

    kind: str
    what: str
    before: str
    after: str
    line_id: str = ""


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """A change on its way: from a version to the next; `is_material` voids approvals of the version before.

    `is_recalled` once the warehouse has given back what was released of it. `ended_reason` says why it did not come about,
    `customer_reason` what a customer who asked for it may read of that: nothing of credit, and nothing that only we know.
    While it waits, an accepted order's lines that it touches are held back until `withholds_until`; `resumed_at` is when that
    was over before the change was settled. The warehouse was asked at `recall_asked_at`; its silence is acted upon at `answer_due_at`,
    and was as often as `silence_steps` says.
    """

    change_id: str
    order_id: str
    from_version: int
    to_version: int
    state: str
    proposed_by: str
    proposed_role: str
    proposed_at: datetime
    request: ChangeRequest
    difference: tuple[Difference, ...]
    total_before: Money
    total_after: Money
    is_material: bool
    needs_consent: bool
    is_recalled: bool = False
    consent_expires_at: datetime | None = None
    consented_by: str = ""
    consented_at: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: str = ""
    customer_reason: str = ""
    kinds: tuple[str, ...] = field(default=())
    withholds_until: datetime | None = None
    resumed_at: datetime | None = None
    recall_asked_at: datetime | None = None
    answer_due_at: datetime | None = None
    silence_steps: int = 0

    @property
    def is_cancellation(self) -> bool:
        """Whether it cancels units: no rule is asked about fewer units, and what a warehouse keeps of them is not cancelled."""
        return self.request.is_cancellation

    @property
    def is_determination(self) -> bool:
        """Whether it only gives the order its tax: what the rules say of that is said for the first time."""
        return self.kinds == (TAX_DETERMINED,)

    @property
    def is_closing(self) -> bool:
        """Whether it gives the units up as closed, which is not cancelled."""
        return self.request.is_closing

    @property
    def is_withholding(self) -> bool:
        """Whether lines that it touches get no new release; what is cancelled gets none however long a warehouse takes."""
        is_held_back = self.is_cancellation or (self.withholds_until is not None and self.resumed_at is None)
        return self.is_pending and is_held_back

    @property
    def is_pending(self) -> bool:
        """Whether it may still come about."""
        return self.state in PENDING

    @property
    def is_known_to_customer(self) -> bool:
        """Whether the customer asked for it, or is or was asked about it."""
        return self.needs_consent or self.request.consent is not None or self.proposed_role == "customer"


def pending(changes: Sequence[ChangeOrder]) -> ChangeOrder | None:
    """The one change of an order that is on its way; None when there is none."""
    return next((change for change in changes if change.is_pending), None)
