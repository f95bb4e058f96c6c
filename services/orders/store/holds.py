"""Holds, violations and cancellations of orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlmodel import Session, col

from services.kernel.errors import NotFound
from services.orders.domain.cancellation import REQUESTED, Cancellation
from services.orders.domain.holds import Hold
from services.orders.domain.policies import Violation
from services.orders.models import CancellationRow, HoldRow, OrderRow, ViolationRow

_HOLD = ("hold_id", "order_id", "order_version", "code", "hold_type", "owner_role", "reason", "placed_at")
_HOLD_END = ("released_at", "released_by", "released_role", "note")
_VIOLATION = ("code", "severity", "message", "line_id", "hold_type", "owner_role")
_CANCELLATION = (
    "cancellation_id",
    "order_id",
    "state",
    "reason",
    "requested_by",
    "requested_role",
    "requested_at",
    "settled_at",
    "settled_reason",
)


def add(session: Session, holds: Sequence[Hold]) -> None:
    """Place holds."""
    if holds:
        rows = [{name: getattr(hold, name) for name in (*_HOLD, *_HOLD_END)} for hold in holds]
        session.execute(insert(HoldRow), rows)


def of_order(session: Session, order_id: str) -> tuple[Hold, ...]:
    """Every hold of an order, oldest first."""
    return of_orders(session, [order_id]).get(order_id, ())


def of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, tuple[Hold, ...]]:
    """Order id → its holds, oldest first; orders without any are missing."""
    query = select(HoldRow).where(col(HoldRow.order_id).in_(order_ids))
    query = query.order_by(col(HoldRow.placed_at), col(HoldRow.hold_id))
    found: dict[str, tuple[Hold, ...]] = {}
    for row in session.scalars(query, execution_options={"populate_existing": True}):
        hold = Hold(**{name: getattr(row, name) for name in (*_HOLD, *_HOLD_END)})
        found[row.order_id] = (*found.get(row.order_id, ()), hold)
    return found


def one(holds: Sequence[Hold], hold_id: str) -> Hold:
    """The hold of this id among an order's; NotFound otherwise."""
    for hold in holds:
        if hold.hold_id == hold_id:
            return hold
    raise NotFound("HOLD_UNKNOWN", "the order has no such hold: reload it")


def release(
    session: Session, hold_ids: Sequence[str], *, released_by: str, released_role: str, note: str, now: datetime
) -> None:
    """Mark open holds as released."""
    statement = update(HoldRow).where(col(HoldRow.hold_id).in_(hold_ids), col(HoldRow.released_at).is_(None))
    values = {"released_at": now, "released_by": released_by, "released_role": released_role, "note": note}
    session.execute(statement.values(**values), execution_options={"synchronize_session": False})


def add_violations(
    session: Session, order_id: str, order_version: int, policy_version: int, violations: Sequence[Violation]
) -> None:
    """Keep everything that the rules said of a version; what they said of earlier ones stays behind it."""
    taken = select(func.coalesce(func.max(col(ViolationRow.position)), 0)).where(col(ViolationRow.order_id) == order_id)
    first = int(session.execute(taken).scalar_one()) + 1 if violations and order_version > 1 else 1
    rows = [
        {
            "order_id": order_id,
            "position": position,
            "order_version": order_version,
            "policy_version": policy_version,
            **{name: getattr(violation, name) for name in _VIOLATION},
        }
        for position, violation in enumerate(violations, start=first)
    ]
    if rows:
        session.execute(insert(ViolationRow), rows)


def violations_of(session: Session, order_id: str) -> tuple[Violation, ...]:
    """What the rules said of the order's current version, in the policy's order."""
    query = select(ViolationRow).join(OrderRow, col(OrderRow.order_id) == col(ViolationRow.order_id))
    query = query.where(col(OrderRow.order_id) == order_id, col(OrderRow.version) == col(ViolationRow.order_version))
    query = query.order_by(col(ViolationRow.position))
    return tuple(Violation(**{name: getattr(row, name) for name in _VIOLATION}) for row in session.scalars(query))


def add_cancellation(session: Session, cancellation: Cancellation, request_fact_id: str) -> None:
    """Keep a request to cancel."""
    values = {name: getattr(cancellation, name) for name in _CANCELLATION}
    session.execute(insert(CancellationRow).values(**values, request_fact_id=request_fact_id))


def cancellations_of(session: Session, order_id: str) -> tuple[Cancellation, ...]:
    """Every request to cancel an order, oldest first."""
    query = select(CancellationRow).where(col(CancellationRow.order_id) == order_id)
    query = query.order_by(col(CancellationRow.requested_at), col(CancellationRow.cancellation_id))
    rows = session.scalars(query, execution_options={"populate_existing": True})
    return tuple(Cancellation(**{name: getattr(row, name) for name in _CANCELLATION}) for row in rows)


def settle_cancellation(session: Session, order_id: str, state: str, reason: str, now: datetime) -> None:
    """Settle the open request of an order, if there is one."""
    statement = update(CancellationRow).where(
        col(CancellationRow.order_id) == order_id, col(CancellationRow.state) == REQUESTED
    )
    values = {"state": state, "settled_at": now, "settled_reason": reason}
    session.execute(statement.values(**values), execution_options={"synchronize_session": False})


def request_fact_id(session: Session, cancellation_id: str) -> str:
    """The outbox row that would hand a cancellation to the workflow."""
    query = select(col(CancellationRow.request_fact_id)).where(col(CancellationRow.cancellation_id) == cancellation_id)
    return str(session.execute(query).scalar_one())
