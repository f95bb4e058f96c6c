"""Queries over the ledger of promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    func,
    insert,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlmodel import Session, col

from services.kernel.ids import new_id
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.promise_ledger import (
    BROKEN,
    KEPT,
    MOVED,
    OPEN,
    WITHDRAWN,
    Ended,
    Given,
    KeptPromise,
    LedgerChange,
    OnTime,
    PromiseFilter,
)
from services.orders.models import OrderRow, PromiseRow
from services.orders.store.orders import within
from services.runtime.db import table_of
from services.runtime.statements import slices

_promise = table_of(PromiseRow)
_IS_OPEN = _promise.c.outcome == literal_column("'open'")
_STANDING_OF = select(_promise).where(
    _promise.c.order_id == bindparam("of"), _promise.c.outcome.in_((OPEN, KEPT, BROKEN))
)
_ADD = insert(_promise)
_SHRINK = update(_promise).where(_promise.c.promise_id == bindparam("of")).values(quantity=bindparam("units"))
_END = (
    update(_promise)
    .where(_promise.c.promise_id == bindparam("of"))
    .values(
        {name: bindparam(f"its_{name}") for name in ("quantity", "outcome", "ended_at", "ended_on", "moved_to", "why")}
    )
)
_WITHDRAW = (
    update(_promise)
    .where(_promise.c.order_id == bindparam("of"), _IS_OPEN)
    .values(outcome=WITHDRAWN, ended_at=bindparam("its_ended_at"), why=bindparam("its_why"))
)


_NAMES = tuple(one.name for one in fields(KeptPromise))[:-3]


def standing_of(session: Session, order_id: str) -> tuple[list[Given], dict[tuple[str, str], int]]:
    """The open promises of an order, and (line id, promised day) → units of it that were delivered."""
    kept: list[Given] = []
    done: Counter[tuple[str, str]] = Counter()
    for row in session.execute(_STANDING_OF, {"of": order_id}):
        if row.outcome == OPEN:
            kept.append(Given(row.line_id, row.quantity, row.promised_on, row.first_on, row.promise_id, row.reason))
        else:
            done[row.line_id, row.promised_on] += row.quantity
    return kept, done


def withdraw(session: Session, order_id: str, why: str, now: datetime) -> None:
    """No open promise of an order that ends is kept any more."""
    session.execute(_WITHDRAW, {"of": order_id, "its_ended_at": now, "its_why": why})


def record(
    session: Session, order_id: str, skus: Mapping[str, str], change: LedgerChange, given_by: str, now: datetime
) -> None:
    """Keep what becomes of the ledger of an order; `skus` are those of its lines."""
    rows = [_row(order_id, skus.get(one.line_id, ""), one, given_by, now) for one in change.given]
    left = {one.given.promise_id: one.given.quantity for one in change.ended}
    whole: list[dict[str, Any]] = []
    for one in change.ended:
        left[one.given.promise_id] -= one.quantity
    # the last part of a promise that ends whole is the row itself
    for one in reversed(change.ended):
        promise_id = one.given.promise_id
        ends = {**_ended(one, now), "quantity": one.quantity}
        if left[promise_id] == 0:
            left[promise_id] = -1
            whole.append({"of": promise_id, **{f"its_{name}": value for name, value in ends.items()}})
        else:
            rows.append({**_original(session, promise_id), **ends, "promise_id": new_id("prm")})
    smaller = [{"of": key, "units": units} for key, units in left.items() if units > 0]
    for statement, terms in ((_SHRINK, smaller), (_END, whole), (_ADD, rows)):
        if terms:
            session.execute(statement, terms)


def _row(order_id: str, sku: str, one: Given, given_by: str, now: datetime) -> dict[str, Any]:
    return {
        "promise_id": new_id("prm"), "order_id": order_id, "line_id": one.line_id, "sku": sku, "quantity": one.quantity,
        "promised_on": one.promised_on, "first_on": one.first_on, "given_at": now, "given_by": given_by,
        "reason": one.reason, "outcome": OPEN, "ended_at": None, "ended_on": "", "moved_to": "", "why": "",
    }  # fmt: skip


def _ended(one: Ended, now: datetime) -> dict[str, Any]:
    return {
        "outcome": one.outcome,
        "ended_at": now,
        "ended_on": one.ended_on,
        "moved_to": one.moved_to,
        "why": one.why,
    }


def _original(session: Session, promise_id: str) -> dict[str, Any]:
    return dict(session.execute(select(_promise).where(_promise.c.promise_id == promise_id)).mappings().one())


def listed(
    session: Session,
    wanted: PromiseFilter,
    scope: Scope = EVERYTHING,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[KeptPromise]:
    """Promises that a scope shows, the newest first, from behind `after` (the instant given, id)."""
    query = _listed(scope)
    for name in ("order_id", "sku", "outcome", "given_by"):
        if value := getattr(wanted, name):
            query = query.where(_promise.c[name] == value)
    if wanted.is_late:
        query = query.where(_is_late(wanted.today))
    if after is not None:
        turn = (_promise.c.given_at, _promise.c.promise_id)
        query = query.where(tuple_(*turn) < tuple_(literal(after[0], turn[0].type), literal(after[1])))
    rows = session.execute(query.order_by(_promise.c.given_at.desc(), _promise.c.promise_id.desc()).limit(limit))
    return [KeptPromise(*row) for row in rows]


def _listed(scope: Scope) -> Select[Any]:
    order = (col(OrderRow.number), col(OrderRow.customer_id), col(OrderRow.customer_name))
    query = select(*(_promise.c[name] for name in _NAMES), *order)
    return query.join(OrderRow, col(OrderRow.order_id) == _promise.c.order_id).where(within(scope))


def _is_late(today: str) -> ColumnElement[bool]:
    return _IS_OPEN & (_promise.c.promised_on != "") & (_promise.c.promised_on < today)


def on_time(session: Session, since: str, until: str, today: str, scope: Scope = EVERYTHING) -> OnTime:
    """The figures of what was delivered from one day to another, and of what is open now."""

    def units(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, _promise.c.quantity), else_=0)), 0)

    is_delivered = _promise.c.ended_on.between(since, until) & (_promise.c.ended_on != "")
    was_kept = _promise.c.outcome == KEPT
    is_first = _promise.c.ended_on <= _promise.c.first_on
    is_moved = (_promise.c.outcome == MOVED) & _promise.c.given_at.isnot(None)
    is_later = is_moved & ((_promise.c.moved_to == "") | (_promise.c.moved_to > _promise.c.promised_on))
    wanted = select(
        units(is_delivered), units(is_delivered & was_kept), units(is_delivered & is_first),
        units(_IS_OPEN), units(_is_late(today)), units(is_later),
    )  # fmt: skip
    wanted = wanted.join(OrderRow, col(OrderRow.order_id) == _promise.c.order_id).where(within(scope))
    return OnTime(*(int(figure) for figure in session.execute(wanted).one()))


def numbers(session: Session, order_ids: Collection[str], scope: Scope) -> dict[str, str]:
    """Order id → number, of orders that a scope shows."""
    query = select(col(OrderRow.order_id), col(OrderRow.number)).where(within(scope))
    found: dict[str, str] = {}
    for some in slices(order_ids):
        found |= {
            str(key): str(number) for key, number in session.execute(query.where(col(OrderRow.order_id).in_(some)))
        }
    return found
