"""The figures above the overview: counts and sums over the orders that a scope shows, each one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, case, cast, func, select
from sqlmodel import Session, col

from services.kernel.money import Money
from services.orders.domain.access import Scope
from services.orders.domain.dashboard import History, Margin, Service, Waiting
from services.orders.domain.order import ENDED, NEVER_CAME
from services.orders.models import LineRow, OrderRow, ProductRow, ProgressRow
from services.orders.store.orders import within


def waiting(session: Session, scope: Scope, roles: Sequence[str], today: date) -> Waiting:
    """Everything that waits, in one pass over the open orders."""
    due = col(ProgressRow.waiting_due)
    channel, status = col(OrderRow.channel), col(ProgressRow.status)
    counted = (
        *(_count(_names(role)) for role in roles),
        _count(_names("supplier")),
        _count(_names("warehouse")),
        _count(due != ""),
        _count((due != "") & (due < today.isoformat())),
        _count(col(ProgressRow.hold_types) != ""),
        func.count(),
    )
    query = select(channel, status, *counted).select_from(OrderRow)
    query = query.join(ProgressRow, col(ProgressRow.order_id) == col(OrderRow.order_id))
    query = query.where(col(OrderRow.phase).notin_(sorted(ENDED)), within(scope)).group_by(channel, status)
    by_channel: dict[str, dict[str, int]] = {}
    totals = [0] * len(counted)
    for row in session.execute(query):
        by_channel.setdefault(str(row[0]), {})[str(row[1])] = int(row[-1])
        totals = [total + int(count) for total, count in zip(totals, row[2:], strict=True)]
    return Waiting(by_channel, dict(zip(roles, totals, strict=False)), *totals[len(roles) :])


def _names(role: str) -> Any:
    """Whether an order waits for a role, alone or beside others."""
    escaped = role.replace("_", "\\_")
    return (", " + col(ProgressRow.waiting_who) + ",").like(f"% {escaped},%", escape="\\")


def _count(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


def held_since(session: Session, scope: Scope, bounds: Sequence[datetime]) -> list[int]:
    """How many orders in review or on hold wait since each bound or later; falling bounds, the last count is all."""
    since = func.coalesce(col(ProgressRow.waiting_since), col(ProgressRow.changed_at))
    query = select(*(_count(since >= bound) for bound in bounds), func.count()).select_from(OrderRow)
    query = query.join(ProgressRow, col(ProgressRow.order_id) == col(OrderRow.order_id))
    query = query.where(col(OrderRow.phase) == "in_review", within(scope))
    return [int(value or 0) for value in session.execute(query).one()]


def service_since(session: Session, scope: Scope, since: datetime) -> Service:
    """How often stock was there at once."""
    backordered = func.sum(cast(col(OrderRow.is_backorder_notified), Integer))
    query = select(func.count(), backordered).where(col(OrderRow.accepted_at) >= since, within(scope))
    accepted, waited = session.execute(query).one()
    return Service(int(accepted), int(accepted) - int(waited or 0))


def margins_since(session: Session, scope: Scope, since: datetime) -> list[Margin]:
    """Sales less the catalog's standard cost, by currency; SKUs without a cost in that currency are left out."""
    query = (
        select(
            col(OrderRow.currency),
            col(ProductRow.standard_cost),
            func.sum(col(LineRow.quantity)),
            func.sum(col(LineRow.extended_minor)),
        )
        .join(LineRow, col(LineRow.order_id) == col(OrderRow.order_id))
        .join(
            ProductRow, (col(ProductRow.sku) == col(LineRow.sku)) & (col(ProductRow.currency) == col(OrderRow.currency))
        )
        .where(col(OrderRow.placed_at) >= since, col(OrderRow.phase).notin_(NEVER_CAME), within(scope))
        .where(col(ProductRow.standard_cost) != "")
        .group_by(col(OrderRow.currency), col(ProductRow.sku), col(ProductRow.standard_cost))
    )
    sold: dict[str, Money] = {}
    cost: dict[str, Decimal] = {}
    for currency, standard_cost, quantity, extended in session.execute(query):
        sold[currency] = sold.get(currency, Money.zero(currency)) + Money(int(extended), currency)
        cost[currency] = cost.get(currency, Decimal(0)) + Decimal(standard_cost) * int(quantity)
    return [Margin(total, _rounded(cost[currency], currency)) for currency, total in sorted(sold.items())]


def _rounded(cost: Decimal, currency: str) -> Money:
    unit = Money(1, currency).amount
    return Money(int((cost / unit).to_integral_value()), currency)


def history_of(session: Session, customer_id: str, since: datetime) -> History:
    """What a customer has ordered; `sold` has one amount a currency and leaves out what was refused or cancelled."""
    query = select(col(OrderRow.phase), col(OrderRow.currency), func.count(), func.sum(col(OrderRow.total_minor)))
    query = query.where(col(OrderRow.customer_id) == customer_id, col(OrderRow.placed_at) >= since)
    placed = refused = cancelled = 0
    sold: dict[str, Money] = {}
    for phase, currency, count, total in session.execute(query.group_by(col(OrderRow.phase), col(OrderRow.currency))):
        placed += int(count)
        refused += int(count) if phase in ("rejected", "expired") else 0
        cancelled += int(count) if phase in ("cancelled", "failed") else 0
        if phase not in NEVER_CAME:
            sold[currency] = sold.get(currency, Money.zero(currency)) + Money(int(total), currency)
    return History(placed, refused, cancelled, tuple(sold[currency] for currency in sorted(sold)))
