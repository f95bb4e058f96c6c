"""Holds, violations and cancellations of orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, insert, literal_column, select, update
from sqlmodel import Session, col

from services.orders.domain.cancellation import DECLINED, REQUESTED, Cancellation
from services.orders.domain.consequence import Consequence
from services.orders.domain.coverage import Figures
from services.orders.domain.holds import NO_ALLOWANCE, Allowance, Hold
from services.orders.domain.policies import Violation
from services.orders.models import CancellationRow, HoldRow, OrderRow, ViolationRow
from services.runtime.db import table_of

_HOLD = ("hold_id", "order_id", "order_version", "code", "hold_type", "owner_role", "reason", "placed_at")
_HOLD_END = ("released_at", "released_by", "released_role", "note")
_ALLOWANCE = ("up_to_minor", "valid_until")
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
    "change_id",
)

_order, _hold = table_of(OrderRow), table_of(HoldRow)
_violation, _cancellation = table_of(ViolationRow), table_of(CancellationRow)
_HOLDS = (
    select(*(_hold.c[name] for name in (*_HOLD, *_HOLD_END, *_ALLOWANCE)))
    .where(_hold.c.order_id.in_(bindparam("of", expanding=True)))
    .order_by(_hold.c.placed_at, _hold.c.hold_id)
)
_HOLDS_OF_ONE = (
    select(*(_hold.c[name] for name in (*_HOLD, *_HOLD_END, *_ALLOWANCE)))
    .where(_hold.c.order_id == bindparam("of"))
    .order_by(_hold.c.placed_at, _hold.c.hold_id)
)
_VIOLATIONS = (
    select(*(_violation.c[name] for name in (*_VIOLATION, "given_for")))
    .join(_order, _order.c.order_id == _violation.c.order_id)
    .where(_order.c.order_id == bindparam("of"), _order.c.version == _violation.c.order_version)
    .order_by(_violation.c.position)
)
_ADD_VIOLATIONS = insert(_violation)
_LAST_VIOLATION = select(func.coalesce(func.max(_violation.c.position), literal_column("0"))).where(
    _violation.c.order_id == bindparam("of")
)
_CANCELLATIONS = (
    select(*(_cancellation.c[name] for name in (*_CANCELLATION, "consequence")))
    .where(_cancellation.c.order_id == bindparam("of"))
    .order_by(_cancellation.c.requested_at, _cancellation.c.cancellation_id)
)
_is_open = _cancellation.c.state == literal_column(f"'{REQUESTED}'")  # said in the statement itself, the index serves
_OPEN = select(_cancellation.c.cancellation_id).where(_cancellation.c.order_id == bindparam("of"), _is_open)
_WAITING = _OPEN.where(_cancellation.c.change_id == literal_column("''"))
_SETTLE = update(_cancellation).where(_cancellation.c.order_id == bindparam("of"), _is_open)


def add(session: Session, holds: Sequence[Hold]) -> None:
    """Place holds."""
    if holds:
        rows = [{name: getattr(hold, name) for name in (*_HOLD, *_HOLD_END)} for hold in holds]
        session.execute(insert(HoldRow), rows)


def of_order(session: Session, order_id: str) -> tuple[Hold, ...]:
    """Every hold of an order, oldest first."""
    return tuple(_hold_of(row) for row in session.execute(_HOLDS_OF_ONE, {"of": order_id}).mappings())


def of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, tuple[Hold, ...]]:
    """Order id → its holds, oldest first; orders without any are missing."""
    found: dict[str, tuple[Hold, ...]] = {}
    for row in session.execute(_HOLDS, {"of": list(order_ids)}).mappings():
        hold = _hold_of(row)
        found[hold.order_id] = (*found.get(hold.order_id, ()), hold)
    return found


def _hold_of(row: RowMapping) -> Hold:
    until = row["valid_until"]
    return Hold(**{**row, "valid_until": date.fromisoformat(until) if until else None})


def orders_held_by(session: Session, hold_type: str) -> dict[str, int]:
    """Order id → version of the orders on which a hold of this type stands; the oldest hold first."""
    query = (
        select(col(HoldRow.order_id), col(OrderRow.version))
        .join(OrderRow, col(OrderRow.order_id) == col(HoldRow.order_id))
        .where(col(HoldRow.released_at).is_(None), col(HoldRow.hold_type) == hold_type)
    )
    rows = session.execute(query.order_by(col(HoldRow.placed_at), col(HoldRow.hold_id)))
    return {str(order_id): int(version) for order_id, version in rows}


def standing_types(session: Session) -> frozenset[str]:
    """The types of all holds that nobody has released."""
    query = select(col(HoldRow.hold_type)).where(col(HoldRow.released_at).is_(None)).distinct()
    return frozenset(session.scalars(query))


def release(
    session: Session,
    hold_ids: Sequence[str],
    *,
    released_by: str,
    released_role: str,
    note: str,
    now: datetime,
    allowance: Allowance = NO_ALLOWANCE,
) -> None:
    """Mark open holds as released."""
    statement = update(HoldRow).where(col(HoldRow.hold_id).in_(hold_ids), col(HoldRow.released_at).is_(None))
    values = {
        "released_at": now,
        "released_by": released_by,
        "released_role": released_role,
        "note": note,
        "up_to_minor": allowance.up_to.minor if allowance.up_to is not None else None,
        "valid_until": allowance.until.isoformat() if allowance.until is not None else "",
    }
    session.execute(statement.values(**values), execution_options={"synchronize_session": False})


def rephrase(session: Session, hold_id: str, reason: str) -> None:
    """Give an open hold the reason that it has by now."""
    statement = update(HoldRow).where(col(HoldRow.hold_id) == hold_id, col(HoldRow.released_at).is_(None))
    session.execute(statement.values(reason=reason), execution_options={"synchronize_session": False})


def add_violations(
    session: Session,
    order_id: str,
    order_version: int,
    policy_version: int,
    violations: Sequence[Violation],
    *,
    is_first: bool = False,
) -> None:
    """Keep what the rules said of a version behind what they said before; `is_first` spares the look for that."""
    if not violations:
        return
    taken = 0 if is_first else int(session.execute(_LAST_VIOLATION, {"of": order_id}).scalar_one())
    rows = [
        {
            "order_id": order_id,
            "position": position,
            "order_version": order_version,
            "policy_version": policy_version,
            **{name: getattr(violation, name) for name in _VIOLATION},
            "given_for": _document(violation.given_for) if violation.given_for is not None else None,
        }
        for position, violation in enumerate(violations, start=taken + 1)
    ]
    session.execute(_ADD_VIOLATIONS, rows)


def violations_of(session: Session, order_id: str) -> tuple[Violation, ...]:
    """What the rules said of the order's current version: in the policy's order, and what they said later behind what they said before."""
    return tuple(
        Violation(**{**row, "given_for": _figures(row["given_for"]) if row["given_for"] is not None else None})
        for row in session.execute(_VIOLATIONS, {"of": order_id}).mappings()
    )


def _document(figures: Figures) -> dict[str, Any]:
    """The figures as JSON keeps them, those alone that there are."""
    kept = {name: value for name, value in asdict(figures).items() if value is not None}
    return {name: value if isinstance(value, int) else str(value) for name, value in kept.items()}


def _figures(kept: Mapping[str, Any]) -> Figures:
    readers: dict[str, Callable[[str], Any]] = {
        "unit_price": Decimal,
        "reference_price": Decimal,
        "requested_on": date.fromisoformat,
    }
    return Figures(**{name: readers[name](value) if name in readers else value for name, value in kept.items()})


def add_cancellation(session: Session, cancellation: Cancellation, request_fact_id: str) -> None:
    """Keep a request to cancel."""
    values = {name: getattr(cancellation, name) for name in _CANCELLATION}
    kept = cancellation.consequence.document() if cancellation.consequence else None
    session.execute(insert(CancellationRow).values(**values, consequence=kept, request_fact_id=request_fact_id))


def cancellations_of(session: Session, order_id: str) -> tuple[Cancellation, ...]:
    """Every request to cancel an order, oldest first."""
    return tuple(_cancellation_of(row) for row in session.execute(_CANCELLATIONS, {"of": order_id}).mappings())


def _cancellation_of(row: RowMapping) -> Cancellation:
    kept = row["consequence"]
    return Cancellation(**{**row, "consequence": Consequence.of(kept) if kept is not None else None})


def open_cancellation(session: Session, order_id: str) -> str:
    """The id of the request to cancel an order, or units of it, that waits for its outcome; empty without one."""
    return session.execute(_OPEN, {"of": order_id}).scalar() or ""


def waiting_cancellation(session: Session, order_id: str) -> str:
    """The id of the request to cancel all of an order that waits for its outcome; empty without one."""
    return session.execute(_WAITING, {"of": order_id}).scalar() or ""


def keeps_cash(session: Session, order_id: str) -> bool:
    """Whether the newest request to cancel that was not declined is one without a refund."""
    asked = [one for one in cancellations_of(session, order_id) if one.state != DECLINED]
    return bool(asked and asked[-1].consequence and asked[-1].consequence.keeps_cash)


def settle_cancellation(
    session: Session, order_id: str, state: str, reason: str, now: datetime, consequence: Consequence | None = None
) -> None:
    """Settle the open request of an order, if there is one; `consequence` is what it has come to where that is another."""
    values = {"state": state, "settled_at": now, "settled_reason": reason}
    kept = {"consequence": consequence.document()} if consequence else {}
    session.execute(_SETTLE, {"of": order_id, **values, **kept})


def request_fact_id(session: Session, cancellation_id: str) -> str:
    """The outbox row that would hand a cancellation to the workflow."""
    query = select(col(CancellationRow.request_fact_id)).where(col(CancellationRow.cancellation_id) == cancellation_id)
    return str(session.execute(query).scalar_one())
