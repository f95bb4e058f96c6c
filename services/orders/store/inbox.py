"""The open steps of reviews as a list: whose turn it is, by when it is due, within what the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, false, func, or_, select, type_coerce
from sqlmodel import Session, col

from services.orders.domain.access import Scope
from services.orders.domain.reviews import BUYER, OPEN, SELLER
from services.orders.models import CustomerRow, DecisionRow, OrderRow, StepRow
from services.orders.store.orders import within


@dataclass(frozen=True, slots=True)
class Right:
    """Steps that somebody may be asked: these roles, these positions (None: any), of a company, empty for our staff.

    `sub` is whose right it is; a sales representative is asked of its own customers only.
    """

    sub: str
    roles: frozenset[str]
    positions: frozenset[str] | None
    company: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ended: the instant it was due, and the step."""

    due: datetime
    step_id: str


def open_steps(
    session: Session,
    scope: Scope,
    *,
    mine: tuple[str, Sequence[Right]] | None = None,
    team: Sequence[Right] | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> list[tuple[str, str]]:
    """(step id, order id) of open steps, what is due first, behind `after`.

    `mine` is (subject, its rights): steps that ask it, without those it has decided or whose order it entered itself.
    """
    query = _open(select(col(StepRow.step_id), col(StepRow.order_id)), scope)
    if mine is not None:
        query = query.where(_is_mine(*mine))
    if team is not None:
        query = query.where(_is_teams(team))
    if after is not None:
        later = col(StepRow.expires_at) > after.due
        query = query.where(
            or_(later, and_(col(StepRow.expires_at) == after.due, col(StepRow.step_id) > after.step_id))
        )
    ordered = query.order_by(col(StepRow.expires_at), col(StepRow.step_id)).limit(limit)
    return [(str(step_id), str(order_id)) for step_id, order_id in session.execute(ordered)]


def count(
    session: Session,
    scope: Scope,
    mine: tuple[str, Sequence[Right]],
    team: Sequence[Right],
    late_at: datetime,
) -> tuple[int, int, int]:
    """How many open steps ask somebody, how many their roles, and how many of the latter should have been decided by then."""
    is_late = or_(col(StepRow.escalated_at).is_not(None), col(StepRow.escalate_at) <= late_at)
    is_mine, is_teams = _is_mine(*mine), _is_teams(team)
    sums = (
        func.coalesce(func.sum(case((wanted, 1), else_=0)), 0) for wanted in (is_mine, is_teams, is_teams & is_late)
    )
    row = session.execute(_open(select(*sums).select_from(StepRow), scope)).one()
    return int(row[0]), int(row[1]), int(row[2])


def _open(query: Select[*tuple[Any, ...]], scope: Scope) -> Select[*tuple[Any, ...]]:
    query = query.join(OrderRow, col(OrderRow.order_id) == col(StepRow.order_id))
    query = query.where(col(StepRow.state) == OPEN, within(scope))
    return query.where(col(StepRow.chain) == BUYER) if scope.company is not None else query


def _is_teams(team: Sequence[Right]) -> ColumnElement[bool]:
    return or_(false(), *(_asks(right) for right in team))


def _is_mine(sub: str, rights: Sequence[Right]) -> ColumnElement[bool]:
    answered = select(col(DecisionRow.decision_id)).where(
        col(DecisionRow.step_id) == col(StepRow.step_id), col(DecisionRow.decided_by) == sub
    )
    asked = or_(_is_escalated_to(sub), *(_asks(right) for right in rights))
    return and_(asked, ~answered.exists(), col(OrderRow.placed_by) != sub)


def _asks(right: Right) -> ColumnElement[bool]:
    is_of_chain = (
        and_(col(StepRow.chain) == BUYER, col(OrderRow.customer_id) == right.company)
        if right.company
        else col(StepRow.chain) == SELLER
    )
    theirs = select(col(CustomerRow.customer_id)).where(col(CustomerRow.sales_rep) == right.sub)
    is_their_customer = or_(col(StepRow.role) != "sales_rep", col(OrderRow.customer_id).in_(theirs))
    conditions = [is_of_chain, col(StepRow.role).in_(sorted(right.roles)), is_their_customer]
    if right.positions is not None:
        conditions.append(col(StepRow.position).in_(["", *sorted(right.positions)]))
    return and_(*conditions)


def _is_escalated_to(sub: str) -> ColumnElement[bool]:
    escaped = sub.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: ColumnElement[bool] = type_coerce(col(StepRow.escalated_to), Text).like(f'%"{escaped}"%', escape="\\")
    return found
