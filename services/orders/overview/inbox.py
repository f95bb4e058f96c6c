"""What waits for somebody: the open steps they may decide, their team's, or all, each with why it is or is not theirs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlmodel import Session

from services.kernel.errors import DomainError, InvalidArgument, NotFound
from services.orders.access.matrix import Caller
from services.orders.approvals import assignees, deciders, limits
from services.orders.domain.cases import Decider
from services.orders.domain.order import Order
from services.orders.domain.people import Person, could_hold
from services.orders.domain.reviews import BUYER, Review, Step
from services.orders.domain.segregation_of_duties import obstacle
from services.orders.store import changes, inbox, orders
from services.orders.store import reviews as review_store
from services.orders.store.inbox import Place, Right

Which = Literal["me", "team", "all"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that waits, as one person sees it: `asked` may decide it, `obstacle` is why this person may not."""

    order: Order
    review: Review
    step: Step
    asked: tuple[Person, ...]
    obstacle: DomainError | None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Rows, what is due first, and the cursor of the next page; empty at the end."""

    rows: tuple[Waiting, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How many steps ask this person, how many their roles, and how many of the latter are late."""

    mine: int
    team: int
    overdue: int


def page(
    session: Session, caller: Caller, which: Which, now: datetime, *, limit: int = 50, cursor: str = ""
) -> InboxPage:
    """A page of open steps; CURSOR_INVALID is InvalidArgument. As many queries for two hundred rows as for one."""
    decider = deciders.decider_of(session, caller)
    mine, team = _asked_of(decider, caller, now)
    found = inbox.open_steps(
        session,
        caller.scope,
        mine=mine if which == "me" else None,
        team=team if which == "team" else None,
        after=_place(cursor) if cursor else None,
        limit=limit + 1,
    )
    rows = _rows(session, found[:limit], decider, now)
    return InboxPage(rows, _cursor(rows[-1]) if len(found) > limit else "")


def counts(session: Session, caller: Caller, now: datetime) -> InboxCounts:
    """The numbers beside the list, without reading it."""
    mine, team = _asked_of(deciders.decider_of(session, caller), caller, now)
    return InboxCounts(*inbox.count(session, caller.scope, mine, team, now))


def one(session: Session, caller: Caller, step_id: str, now: datetime) -> Waiting:
    """One step in whatever state; NotFound when it is not there or the caller may not see it."""
    place = review_store.one(session, step_id)
    unknown = NotFound("STEP_UNKNOWN", "there is no such step: look at what waits for you")
    if place is None or not orders.load_many(session, [place[0]], caller.scope):
        raise unknown
    found = _rows(session, [(step_id, place[0])], deciders.decider_of(session, caller), now)[0]
    if caller.scope.company is not None and found.step.chain != BUYER:
        raise unknown
    return found


def _asked_of(decider: Decider, caller: Caller, now: datetime) -> tuple[tuple[str, list[Right]], list[Right]]:
    """What asks somebody (own rights and those handed over), and what asks anybody of their roles."""
    person = decider.person
    roles = decider.roles & frozenset(person.roles) if person and person.roles else decider.roles
    own = Right(decider.sub, roles, frozenset(person.positions if person else ()), decider.company)
    delegated = [
        Right(
            giver.sub,
            frozenset(role for role in giver.roles if could_hold(role, roles)),
            frozenset(giver.positions) if not one.positions else frozenset(giver.positions) & frozenset(one.positions),
            giver.company,
        )
        for one in decider.delegated
        if one.is_in_force(now) and (giver := decider.delegators.get(one.from_sub)) is not None and giver.is_active
    ]
    is_customer = caller.principal.has("customer")
    team = [Right(decider.sub, decider.roles, None, decider.company if is_customer else "")]
    return (decider.sub, [own, *delegated]), team


def _rows(session: Session, found: Sequence[tuple[str, str]], decider: Decider, now: datetime) -> tuple[Waiting, ...]:
    if not found:
        return ()
    ids = sorted({order_id for _, order_id in found})
    loaded = {order.order_id: order for order in orders.load_many(session, ids)}
    asked = review_store.of_orders(session, ids)
    pending = changes.pending_of(session, ids)
    eligible_by_order = assignees.eligible_by_order(session, list(loaded.values()), now)
    rows = []
    currencies = {order.currency for order in loaded.values()}
    deciding = {currency: limits.decider_in(session, decider, currency, now) for currency in sorted(currencies)}
    for step_id, order_id in found:
        review, step = _of(asked[order_id], step_id)
        eligible = eligible_by_order[order_id]
        case = assignees.case_of(eligible, review, step, pending.get(order_id), now)
        asked_now = eligible.asked(step, now) or eligible.substitutes(step, now)
        rows.append(Waiting(loaded[order_id], review, step, asked_now, obstacle(case, deciding[review.currency])))
    return tuple(rows)


def _of(found: Sequence[Review], step_id: str) -> tuple[Review, Step]:
    return next((review, step) for review in found for step in review.steps if step.step_id == step_id)


def _cursor(row: Waiting) -> str:
    due = row.step.expires_at or datetime.max.replace(tzinfo=UTC)
    return base64.urlsafe_b64encode(json.dumps([due.isoformat(), row.step.step_id]).encode()).decode()


def _place(cursor: str) -> Place:
    try:
        due, step_id = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        instant = datetime.fromisoformat(due)
        if instant.tzinfo is None or not isinstance(step_id, str) or len(step_id) > 64 or not step_id.isprintable():
            raise ValueError(step_id)
    except (ValueError, TypeError, binascii.Error) as unreadable:
        sentence = "the cursor is not one of this list: begin again without it"
        raise InvalidArgument("CURSOR_INVALID", sentence) from unreadable
    return Place(instant, step_id)
