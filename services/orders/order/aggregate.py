"""Everything known about one order: load it for a change, and restate its standing in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.cancellation import Cancellation
from services.orders.domain.holds import Hold, remaining
from services.orders.domain.mails import Promise
from services.orders.domain.order import ENDED, Order, move
from services.orders.domain.policies import Violation
from services.orders.domain.projection import LineQuantities, Progress, quantities
from services.orders.domain.reviews import OPEN, VOID, WAITING, WITHDRAWN, Review
from services.orders.domain.status import Standing, derive, keep_since
from services.orders.domain.waiting import NOTHING_ASKED, Asked
from services.orders.order import exceptions
from services.orders.store import changes, events, holds, orders, progress, reviews
from services.orders.store.progress import Kept


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes an order, as the event log names them."""

    who: str
    role: str


@dataclass(frozen=True, slots=True)
class Dossier:
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

    def lines(self) -> dict[str, LineQuantities]:
        """Line id → its quantities, in line order."""
        return quantities(self.order, self.progress)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """All that a page or an answer shows of an order."""

    dossier: Dossier
    violations: tuple[Violation, ...]
    cancellations: tuple[Cancellation, ...]
    event_sequence: int
    reviews: tuple[Review, ...] = ()


def read(session: Session, order_id: str, scope: Scope = EVERYTHING) -> Dossier:
    """The dossier; NotFound when the order does not exist or the scope hides it."""
    return _dossier(session, orders.load(session, order_id, scope))


def read_asked(session: Session, order_id: str) -> Asked:
    """Every review of the order and the change that is on its way."""
    return Asked(reviews.of_order(session, order_id), changes.pending_of(session, [order_id]).get(order_id))


def read_for_change(session: Session, order_id: str, scope: Scope = EVERYTHING) -> Dossier:
    """The dossier of an order that nobody else changes until this transaction ends."""
    return _dossier(session, orders.take(session, order_id, scope))


def read_many_for_change(session: Session, order_ids: Collection[str]) -> dict[str, Dossier]:
    """Order id → dossier, of those that exist, which nobody else changes until this transaction ends."""
    taken = orders.take_many(session, order_ids)
    kept = progress.load_many(session, [order.order_id for order in taken])
    return {order.order_id: _dossier_of(session, order, kept[order.order_id]) for order in taken}


def _dossier(session: Session, order: Order) -> Dossier:
    return _dossier_of(session, order, progress.load(session, order.order_id))


def _dossier_of(session: Session, order: Order, kept: Kept) -> Dossier:
    held = holds.of_order(session, order.order_id) if kept.has_holds else ()
    asked = read_asked(session, order.order_id) if kept.is_asked else NOTHING_ASKED
    return Dossier(order, kept.progress, held, kept.promises, kept.standing, kept.changed_at, asked)


def check_version(dossier: Dossier, expected: int | None) -> None:
    """Refuse to act on an order that has changed since the caller saw it."""
    if expected is not None and expected != dossier.order.version:
        raise Refused(
            "VERSION_STALE",
            f"the order is at version {dossier.order.version}, not {expected}: reload it and decide again",
            version=str(dossier.order.version),
        )


def page(session: Session, reference: str, scope: Scope) -> OrderPage:
    """The whole order by its id or number, with violations and cancellations; NotFound as in read()."""
    dossier = read(session, orders.find_id(session, reference, scope), scope)
    return OrderPage(
        dossier=dossier,
        violations=holds.violations_of(session, dossier.order_id),
        cancellations=holds.cancellations_of(session, dossier.order_id),
        event_sequence=events.newest_sequence(session, dossier.order_id),
        reviews=reviews.of_order(session, dossier.order_id),
    )


def advance(session: Session, dossier: Dossier, verb: str, actor: Actor, now: datetime, why: str = "") -> Dossier:
    """Move the order through TRANSITIONS and store it; an order that ends has its holds lifted and its questions withdrawn."""
    phase = move(dossier.order.phase, verb)
    cleared_at = now if verb == "clear" else dossier.order.cleared_at
    ended_at = now if phase in ENDED else None
    orders.change(session, dossier.order_id, {"phase": phase, "cleared_at": cleared_at, "ended_at": ended_at})
    changed = replace(dossier, order=replace(dossier.order, phase=phase, cleared_at=cleared_at, ended_at=ended_at))
    if phase not in ENDED:
        return changed
    return _withdraw_questions(session, _lift_holds(session, changed, actor, now, why), now, why)


def _lift_holds(session: Session, dossier: Dossier, actor: Actor, now: datetime, why: str) -> Dossier:
    standing = remaining(dossier.holds)
    if not standing:
        return dossier
    note = f"the order ended: {why or dossier.order.phase}"
    ids = [hold.hold_id for hold in standing]
    holds.release(session, ids, released_by=actor.who, released_role=actor.role, note=note, now=now)
    exceptions.resolve_of_holds(session, ids, note, now)
    return replace(dossier, holds=holds.of_order(session, dossier.order_id))


def _withdraw_questions(session: Session, dossier: Dossier, now: datetime, why: str) -> Dossier:
    review, change = dossier.asked.review, dossier.asked.change
    if review is not None:
        reviews.change_review(session, review.review_id, {"state": WITHDRAWN, "decided_at": now})
        unanswered = [step.step_id for step in review.steps if step.state in (OPEN, WAITING)]
        reviews.change_steps(session, unanswered, {"state": VOID, "decided_at": now})
    if change is not None:
        ended = {"state": WITHDRAWN, "ended_at": now, "ended_reason": why or f"the order is {dossier.order.phase}"}
        changes.alter(session, change.change_id, ended)
    return replace(dossier, asked=read_asked(session, dossier.order_id)) if dossier.asked.is_anything else dossier


def restate(session: Session, dossier: Dossier, now: datetime) -> Dossier:
    """Derive the standing anew and store it: the cache is right in every transaction that changes the order."""
    changed = stated(dossier, now)
    save(session, [changed])
    return changed


def stated(dossier: Dossier, now: datetime) -> Dossier:
    """The dossier with its standing derived anew; whoever asks for it sees to it that save() follows."""
    derived = derive(dossier.order, dossier.progress, dossier.holds, now, dossier.asked)
    return replace(dossier, standing=keep_since(derived, dossier.standing.waiting_for), changed_at=now)


def save(session: Session, dossiers: Iterable[Dossier]) -> None:
    """Store what came of orders that are taken, and their standing."""
    progress.save(session, {dossier.order_id: _kept(dossier) for dossier in dossiers})


def _kept(dossier: Dossier) -> Kept:
    return Kept(
        dossier.progress,
        dossier.promises,
        dossier.standing,
        dossier.changed_at,
        is_asked=dossier.asked.is_anything,
        has_holds=bool(dossier.holds),
    )


def note_event(
    session: Session,
    before: Dossier,
    after: Dossier,
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
