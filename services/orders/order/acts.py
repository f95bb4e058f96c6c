"""What somebody did to an order, as its workflow's history says it to a reader who has nothing else: who, and what."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from services.orders.domain.order import Order
from services.orders.domain.reviews import APPROVE, REJECT, Step
from services.orders.order.aggregate import Actor
from services.orders.store import people

_VERBS = {APPROVE: "approved", REJECT: "rejected"}


@dataclass(frozen=True, slots=True)
class Act:
    """`who` is a name of our staff, or the customer's company; `what` is a short clause such as "approved: manager approval"."""

    who: str
    what: str


def act_of(session: Session, actor: Actor, order: Order, what: str, *, acting_for: str = "") -> Act:
    """An act of somebody on an order; people of a customer are named by their company alone."""
    who = _name(session, actor, order)
    return Act(f"{who} for {_name(session, Actor(acting_for, actor.role), order)}" if acting_for else who, what)


def decided(decision: str, step: Step) -> str:
    """What a decision said of a step: "approved: manager approval (tier 1)"."""
    return f"{_VERBS.get(decision, 'asked for changes')}: {step.question} (tier {step.level})"


def _name(session: Session, actor: Actor, order: Order) -> str:
    person = people.find(session, actor.who)
    if actor.role == "customer" or (person is not None and person.company):
        return order.customer_name
    return person.name if person is not None else actor.who
