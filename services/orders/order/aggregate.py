"""Everything known about one order: load it for a change, and restate its standing in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.cancellation import DECLINED, Cancellation
from services.orders.domain.holds import Hold, remaining
from services.orders.domain.mails import Promise
from services.orders.domain.order import ENDED, Order, move
from services.orders.domain.policies import Violation
from services.orders.domain.projection import LineQuantities, Progress, is_delivered, is_settled, quantities
from services.orders.domain.replacements import PLACER, Replaced
from services.orders.domain.returns import Return
from services.orders.domain.reviews import OPEN, VOID, WAITING, WITHDRAWN, Review
from services.orders.domain.status import Standing, derive, keep_since
from services.orders.domain.waiting import NOTHING_ASKED, Asked
from services.orders.order import exceptions
from services.orders.order.reviews import end_review
from services.orders.store import changes, events, holds, orders, progress, promises, replacements, returns, reviews
from services.orders.store.progress import Kept


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes an order, as the event log names them."""

    who: str
    role: str


@dataclass(frozen=True, slots=True)
class OrderAggregate:
    """An order with what happened to it; `standing` is what is shown of it."""

    order: Order
    progress: Progress
    holds: tuple[Hold, ...]
    promises: tuple[Promise, ...]
    standing: Standing
    changed_at: datetime
    asked: Asked = NOTHING_ASKED

    @property
    def order_id(self) -> str:
        """Its order's id."""
        return self.order.order_id

    def snapshot(self) -> dict[str, Any]:
        """What the event log keeps of before and after."""
        return {"phase": self.order.phase, "status": self.standing.status, "holds": list(self.standing.axes.holds)}

    @property
    def is_delivered(self) -> bool:
        """Whether every unit is delivered or cancelled, by what orders has heard."""
        return is_delivered(self.order, self.progress)

    @property
    def is_settled(self) -> bool:
        """Whether every unit is invoiced and every invoice settled, by what orders has heard."""
        return is_settled(self.order, self.progress)

    def lines(self) -> dict[str, LineQuantities]:
        """Line id → its quantities, in line order."""
        return quantities(self.order, self.progress)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """All that a page or an answer shows of an order."""

    aggregate: OrderAggregate
    violations: tuple[Violation, ...]
    cancellations: tuple[Cancellation, ...]
    event_sequence: int
    reviews: tuple[Review, ...] = ()
    returns: tuple[Return, ...] = ()
    replaces: Replaced | None = None


def read(session: Session, order_id: str, scope: Scope = EVERYTHING) -> OrderAggregate:
    """The aggregate; NotFound when the order does not exist or the scope hides it."""
    return _aggregate(session, orders.load(session, order_id, scope))


def read_asked(session: Session, order_id: str) -> Asked:
    """Every review of the order and the change that is on its way."""
    return Asked(reviews.of_order(session, order_id), changes.pending_of(session, [order_id]).get(order_id))


def read_for_change(session: Session, order_id: str, scope: Scope = EVERYTHING) -> OrderAggregate:
    """The aggregate of an order that nobody else changes until this transaction ends."""
    return _aggregate(session, orders.take(session, order_id, scope))


def read_many(session: Session, order_ids: Sequence[str]) -> list[OrderAggregate]:
    """The aggregates of these orders that exist, by id, as far as the facts go: with their progress, without holds and questions."""
    kept = progress.load_many(session, order_ids)
    return [
        OrderAggregate(order, rows.progress, (), rows.promises, rows.standing, rows.changed_at)
        for order in orders.load_many(session, order_ids)
        if (rows := kept.get(order.order_id)) is not None
    ]


def read_many_for_change(session: Session, order_ids: Collection[str]) -> dict[str, OrderAggregate]:
    """Order id → aggregate, of those that exist, which nobody else changes until this transaction ends."""
    taken = orders.take_many(session, order_ids)
    kept = progress.load_many(session, [order.order_id for order in taken])
    return {order.order_id: _aggregate_of(session, order, kept[order.order_id]) for order in taken}


def _aggregate(session: Session, order: Order) -> OrderAggregate:
    return _aggregate_of(session, order, progress.load(session, order.order_id))


def _aggregate_of(session: Session, order: Order, kept: Kept) -> OrderAggregate:
    held = holds.of_order(session, order.order_id) if kept.has_holds else ()
    asked = read_asked(session, order.order_id) if kept.is_asked else NOTHING_ASKED
    return OrderAggregate(order, kept.progress, held, kept.promises, kept.standing, kept.changed_at, asked)


def check_version(aggregate: OrderAggregate, expected: int | None) -> None:
    """Refuse to act on an order that has changed since the caller saw it."""
    if expected is not None and expected != aggregate.order.version:
        raise Refused(
            "VERSION_STALE",
            f"the order is at version {aggregate.order.version}, not {expected}: reload it and decide again",
            version=str(aggregate.order.version),
        )


def page(session: Session, reference: str, scope: Scope) -> OrderPage:
    """The whole order by its id or number, with violations, cancellations and returns; NotFound as in read()."""
    aggregate = read(session, orders.find_id(session, reference, scope), scope)
    return OrderPage(
        aggregate=aggregate,
        violations=holds.violations_of(session, aggregate.order_id),
        cancellations=holds.cancellations_of(session, aggregate.order_id),
        event_sequence=events.newest_sequence(session, aggregate.order_id),
        reviews=reviews.of_order(session, aggregate.order_id),
        returns=tuple(returns.of_order(session, aggregate.order_id)),
        replaces=replacements.of_order(session, aggregate.order_id) if aggregate.order.placed_by == PLACER else None,
    )


def advance(
    session: Session, aggregate: OrderAggregate, verb: str, actor: Actor, now: datetime, why: str = ""
) -> OrderAggregate:
    """Move the order through TRANSITIONS and store it; an order that ends has its holds lifted, its questions withdrawn and its cash shown to accounting.

    One that is held after it was cleared is cleared again when the hold goes.
    """
    phase = move(aggregate.order.phase, verb)
    cleared_at = {"clear": now, "hold": None}.get(verb, aggregate.order.cleared_at)
    ended_at = now if phase in ENDED else None
    orders.change(session, aggregate.order_id, {"phase": phase, "cleared_at": cleared_at, "ended_at": ended_at})
    changed = replace(aggregate, order=replace(aggregate.order, phase=phase, cleared_at=cleared_at, ended_at=ended_at))
    if phase not in ENDED:
        return changed
    promises.withdraw(session, aggregate.order_id, why or f"the order is {phase}", now)
    if changed.progress.held_minor:
        exceptions.follow_deposit(session, changed.order, changed.progress.held_minor, now)
    return _withdraw_questions(session, _lift_holds(session, changed, actor, now, why), now, why)


def _lift_holds(session: Session, aggregate: OrderAggregate, actor: Actor, now: datetime, why: str) -> OrderAggregate:
    standing = remaining(aggregate.holds)
    if not standing:
        return aggregate
    note = f"the order ended: {why or aggregate.order.phase}"
    ids = [hold.hold_id for hold in standing]
    holds.release(session, ids, released_by=actor.who, released_role=actor.role, note=note, now=now)
    exceptions.resolve_of_holds(session, ids, note, now)
    return replace(aggregate, holds=holds.of_order(session, aggregate.order_id))


def _withdraw_questions(session: Session, aggregate: OrderAggregate, now: datetime, why: str) -> OrderAggregate:
    review, change = aggregate.asked.review, aggregate.asked.change
    if review is not None:
        end_review(session, review.review_id, WITHDRAWN, now)
        unanswered = [step.step_id for step in review.steps if step.state in (OPEN, WAITING)]
        reviews.change_steps(session, unanswered, {"state": VOID, "decided_at": now})
    if change is not None:
        reason = why or f"the order is {aggregate.order.phase}"
        changes.alter(session, change.change_id, {"state": WITHDRAWN, "ended_at": now, "ended_reason": reason})
        exceptions.resolve_of_recall(session, change.change_id, f"The order has ended: {reason}", now)
        if change.is_cancellation:
            holds.settle_cancellation(
                session, aggregate.order_id, DECLINED, f"the order is {aggregate.order.phase}", now
            )
    return (
        replace(aggregate, asked=read_asked(session, aggregate.order_id)) if aggregate.asked.is_anything else aggregate
    )


def restate(session: Session, aggregate: OrderAggregate, now: datetime) -> OrderAggregate:
    """Derive the standing again and store it: the cache is right in every transaction that changes the order."""
    changed = stated(aggregate, now)
    save(session, [changed])
    return changed


def stated(aggregate: OrderAggregate, now: datetime) -> OrderAggregate:
    """The aggregate with its standing derived again; whoever asks for it sees to it that save() follows."""
    derived = derive(aggregate.order, aggregate.progress, aggregate.holds, now, aggregate.asked)
    return replace(aggregate, standing=keep_since(derived, aggregate.standing.waiting_for), changed_at=now)


def save(session: Session, aggregates: Iterable[OrderAggregate]) -> None:
    """Store what came of orders that are taken, and their standing."""
    progress.save(session, {aggregate.order_id: _kept(aggregate) for aggregate in aggregates})


def _kept(aggregate: OrderAggregate) -> Kept:
    return Kept(
        aggregate.progress,
        aggregate.promises,
        aggregate.standing,
        aggregate.changed_at,
        is_asked=aggregate.asked.is_anything,
        has_holds=bool(aggregate.holds),
    )


def note_event(
    session: Session,
    before: OrderAggregate,
    after: OrderAggregate,
    actor: Actor,
    what: str,
    now: datetime,
    *,
    why: str = "",
    more: Mapping[str, Any] | None = None,
) -> None:
    """Append to the event log who changed what, with the snapshots before and after; `more` is added to the latter."""
    events.append(
        session,
        after.order_id,
        who=actor.who,
        role=actor.role,
        what=what,
        why=why,
        before=before.snapshot(),
        after={**after.snapshot(), **(more or {})},
        now=now,
    )
