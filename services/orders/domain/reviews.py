"""Reviews: the steps that an order version must pass, who may take them, and what their decisions come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.kernel.errors import Refused
from services.runtime.roles import AUTHORITY_ROLES, KNOWLEDGE_ROLES, RULE_OWNERS, fallback

SELLER, BUYER = "seller", "buyer"
ANY, ALL, N_OF = "any", "all", "n_of"
APPROVE, REJECT, REQUEST_CHANGES = "approve", "reject", "request_changes"
DECISIONS = (APPROVE, REJECT, REQUEST_CHANGES)
NO_LIMIT = "none"

OPEN = "open"
WAITING = "waiting"
APPROVED = "approved"
REJECTED = "rejected"
CHANGES_REQUESTED = "changes_requested"
VOID = "void"
EXPIRED = "expired"
WITHDRAWN = "withdrawn"
REVIEW_STATES = (OPEN, APPROVED, REJECTED, CHANGES_REQUESTED, VOID, EXPIRED, WITHDRAWN)
STEP_STATES = (WAITING, OPEN, APPROVED, REJECTED, CHANGES_REQUESTED, VOID, EXPIRED)

REVIEW_TRANSITIONS: dict[str, dict[str, str]] = {
    OPEN: {
        "approve": APPROVED,
        "reject": REJECTED,
        "request_changes": CHANGES_REQUESTED,
        "void": VOID,
        "expire": EXPIRED,
        "withdraw": WITHDRAWN,
    },
    CHANGES_REQUESTED: {"void": VOID, "expire": EXPIRED, "withdraw": WITHDRAWN},
    APPROVED: {"void": VOID},
    REJECTED: {},
    VOID: {},
    EXPIRED: {"void": VOID},
    WITHDRAWN: {},
}
"""State of a review → verb → next state. What is not here is refused."""


def move_review(state: str, verb: str) -> str:
    """The state after a verb; Refused REVIEW_HAS_ENDED when the table does not hold it."""
    following = REVIEW_TRANSITIONS[state].get(verb)
    if following is None:
        sentence = f"the review is {state.replace('_', ' ')} already: reload it and see what the order waits for"
        raise Refused("REVIEW_HAS_ENDED", sentence, state=state)
    return following


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided on a step; `acting_for` is the delegator, empty for one's own authority.

    `ready_on` is the day that manufacturing answers with. A void decision was taken on a version that no longer stands.
    """

    decision_id: str
    step_id: str
    order_id: str
    order_version: int
    decided_by: str
    acting_for: str
    role: str
    decision: str
    note: str
    decided_at: datetime
    ready_on: date | None = None
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One tier's question about an order version, or about one line of it.

    `level` orders the steps of a chain: a step opens when every lower level of its chain is approved. `needed` is how many
    distinct people must approve (mode any: 1, all: everybody of the position when it opened). `limit` says when the
    approver's limit must cover the order: final (no later level decides), always or none. `asked_on` is the day that
    manufacturing is asked for; the instants count the owner's business hours.
    """

    step_id: str
    review_id: str
    order_id: str
    order_version: int
    chain: str
    level: int
    role: str
    position: str
    mode: str
    needed: int
    limit: str
    codes: tuple[str, ...]
    reasons: tuple[str, ...]
    state: str = WAITING
    line_id: str = ""
    asked_on: date | None = None
    opened_at: datetime | None = None
    remind_at: datetime | None = None
    escalate_at: datetime | None = None
    expires_at: datetime | None = None
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    escalated_to: tuple[str, ...] = ()
    decided_at: datetime | None = None
    decisions: tuple[Decision, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody now."""
        return self.state == OPEN

    @property
    def is_undecided(self) -> bool:
        """Whether it waits for somebody, now or after an earlier level."""
        return self.state in (OPEN, WAITING)

    @property
    def taken_by(self) -> str:
        """The role whose people take it: the one it asks, or that one's fallback where the role approves nothing.

        Accounting answers for a hold of its own that a change calls for, which asks for no limit.
        """
        is_release = self.role in RULE_OWNERS and self.limit == NO_LIMIT
        may_be_asked = is_release or self.role in AUTHORITY_ROLES | KNOWLEDGE_ROLES
        return self.role if may_be_asked else fallback(self.role)

    @property
    def is_approval(self) -> bool:
        """Whether authority is asked for (an approver, a buyer), not the knowledge of sales, support, warehouse or plant."""
        return self.taken_by in AUTHORITY_ROLES

    @property
    def asks(self) -> str:
        """Who is asked, as people read it: "finance director", "support"."""
        return (self.position or self.role).replace("_", " ")

    @property
    def question(self) -> str:
        """What is asked for, in words: "manager approval", "support validation", "accounting release"."""
        if self.role == "manufacturing":
            return "manufacturing confirmation"
        if self.is_approval:
            return f"{self.asks} approval"
        return f"{self.asks} {'validation' if self.role in KNOWLEDGE_ROLES else 'release'}"


@dataclass(frozen=True, slots=True)
class Review:
    """Everything that one version of an order is asked; `change_id` when it is about a change to an accepted order.

    `cumulative_minor` is what limits are held against: this order and what the customer ordered within the policy's window.
    """

    review_id: str
    order_id: str
    order_version: int
    policy_version: int
    state: str
    opened_at: datetime
    cumulative_minor: int
    currency: str
    change_id: str = ""
    decided_at: datetime | None = None
    steps: tuple[Step, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether it still keeps the order: steps are open, or changes were asked for."""
        return self.state in (OPEN, CHANGES_REQUESTED)

    def open_steps(self) -> tuple[Step, ...]:
        """The steps that wait for somebody now, in chain and level order."""
        return tuple(step for step in self.steps if step.is_open)


def standing_review(reviews: Sequence[Review]) -> Review | None:
    """The review that keeps the order now; None when nothing is asked."""
    return next((review for review in reversed(reviews) if review.is_open), None)
