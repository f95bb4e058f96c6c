"""What a decision is held against: the step with all that bounds it, who wants to decide, and by whose right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.orders.domain.changes import ChangeOrder
from services.orders.domain.holds import Hold
from services.orders.domain.order import Order
from services.orders.domain.people import Delegation, Person
from services.orders.domain.reviews import Review, Step
from services.runtime.roles import ANSWERS_OWN, AUTHORITY_ROLES


@dataclass(frozen=True, slots=True)
class Parties:
    """Who has to do with an order, and so may not decide on it; empty where there is nobody."""

    creator: str
    on_behalf_of: str = ""
    last_editor: str = ""
    proposer: str = ""
    sales_rep: str = ""

    def subs(self) -> set[str]:
        """Everybody of them."""
        return {self.creator, self.on_behalf_of, self.last_editor, self.proposer, self.sales_rep} - {""}

    def of(self, step: Step) -> dict[str, str]:
        """Subject → why it may not decide this step.

        Who sells to the customer is barred where authority is asked for. What only sales or the plant knows they are asked
        whatever they had to do with the order.
        """
        if step.role in ANSWERS_OWN:
            return {}
        return self._named(is_approval=step.is_approval)

    def of_hold(self, hold: Hold) -> dict[str, str]:
        """Subject → why it may not release a hold: where authority is asked for, nobody releases what they asked for."""
        return self._named(is_approval=True) if hold.owner_role in AUTHORITY_ROLES else {}

    def _named(self, *, is_approval: bool) -> dict[str, str]:
        named = [
            (self.sales_rep if is_approval else "", "sells to this customer"),
            (self.on_behalf_of, "is who the order was entered for"),
            (self.proposer, "proposed this change"),
            (self.last_editor, "changed the order last"),
            (self.creator, "entered the order"),
        ]
        return {sub: why for sub, why in named if sub}


@dataclass(frozen=True, slots=True)
class Case:
    """A step with everything that bounds a decision on it; `delegations` are all that are in force.

    `substitutes` are the subjects of those who act where the step asks nobody any more, `asked` are the people whom it asks;
    `names` is subject → name of everybody whom a refusal may name.
    """

    order: Order
    review: Review
    step: Step
    change: ChangeOrder | None
    parties: Parties
    delegations: tuple[Delegation, ...]
    now: datetime
    substitutes: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Decider:
    """Who wants to decide: what the token says, and what the directory says now.

    `delegated` are all delegations that somebody was ever given, `delegators` subject → person of those who gave them.
    """

    sub: str
    roles: frozenset[str]
    company: str = ""
    person: Person | None = None
    delegated: tuple[Delegation, ...] = ()
    delegators: Mapping[str, Person] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose right is used: one's own, or a delegator's by a delegation."""

    sub: str
    person: Person | None
    delegation: Delegation | None = None

    @property
    def acting_for(self) -> str:
        """The delegator; empty for one's own right."""
        return self.sub if self.delegation else ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A decision that somebody wants to take by a right."""

    case: Case
    decider: Decider
    right: Authority
    decision: str
