"""Queries over outages and over orders that are to be sourced again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, insert, literal_column, select, update
from sqlmodel import Session

from services.inventory.domain.outages import Outage, SourcingRequest
from services.inventory.store.tables import (
    ACTIVE,
    NOTHING,
    allocation,
    backorder,
    candidate,
    reservation,
    sourcing_request,
    stock,
    warehouse,
    warehouse_outage,
)
from services.runtime.statements import changed

MOST = 100

_LASTS = warehouse_outage.c.ended_at.is_(None)
_HOLDERS = (
    select(reservation.c.order_id)
    .join(allocation, allocation.c.reservation_id == reservation.c.reservation_id)
    .where(
        reservation.c.state == ACTIVE,
        allocation.c.warehouse_id == bindparam("place"),
        allocation.c.held_quantity > NOTHING,
    )
    .distinct()
    .order_by(reservation.c.order_id)
)
_UNNOTIFIED = (
    select(sourcing_request)
    .where(sourcing_request.c.notified_at.is_(None))
    .order_by(sourcing_request.c.sourcing_request_id)
    .limit(bindparam("most"))
)
_OPEN = (
    select(sourcing_request)
    .where(sourcing_request.c.done_at.is_(None), sourcing_request.c.order_id == bindparam("order"))
    .order_by(sourcing_request.c.sourcing_request_id)
)
_BESIDE = (
    select(backorder.c.order_id, stock.c.warehouse_id)
    .join(stock, stock.c.sku == backorder.c.sku)
    .join(warehouse, warehouse.c.warehouse_id == stock.c.warehouse_id)
    .where(
        backorder.c.waiting_quantity > NOTHING,
        stock.c.warehouse_id.in_(bindparam("places", expanding=True)),
        stock.c.on_hand > stock.c.allocated,
        warehouse.c.is_active,
        ~exists().where(
            candidate.c.reservation_id == backorder.c.reservation_id,
            candidate.c.warehouse_id == stock.c.warehouse_id,
        ),
        ~exists().where(sourcing_request.c.order_id == backorder.c.order_id, sourcing_request.c.done_at.is_(None)),
    )
    .distinct()
    .order_by(backorder.c.order_id, stock.c.warehouse_id)
)
_NOTIFIED = (
    update(sourcing_request)
    .where(
        sourcing_request.c.sourcing_request_id == bindparam("request"),
        sourcing_request.c.notified_at.is_(literal_column("NULL")),
    )
    .values(notified_at=bindparam("at"))
)


def add(session: Session, outage: Outage) -> None:
    """Store an outage that begins."""
    session.execute(insert(warehouse_outage), asdict(outage))


def lasting(session: Session, warehouse_id: str) -> Outage | None:
    """The outage of a warehouse; None where there is none now."""
    row = session.execute(
        select(warehouse_outage).where(_LASTS, warehouse_outage.c.warehouse_id == warehouse_id)
    ).first()
    return _outage(row) if row else None


def over(session: Session, now: datetime) -> list[Outage]:
    """Outages whose time is over, the earliest first."""
    due = select(warehouse_outage).where(_LASTS, warehouse_outage.c.ends_at <= now)
    return [_outage(row) for row in session.execute(due.order_by(warehouse_outage.c.ends_at).limit(MOST))]


def end(session: Session, warehouse_id: str, now: datetime) -> None:
    """The outage of a warehouse is over, where one lasts."""
    this = update(warehouse_outage).where(_LASTS, warehouse_outage.c.warehouse_id == warehouse_id)
    session.execute(this.values(ended_at=now))


def page(session: Session, warehouse_id: str, *, is_open_only: bool) -> list[Outage]:
    """The newest first, at most MOST."""
    wanted = select(warehouse_outage)
    if warehouse_id:
        wanted = wanted.where(warehouse_outage.c.warehouse_id == warehouse_id)
    if is_open_only:
        wanted = wanted.where(_LASTS)
    newest = wanted.order_by(warehouse_outage.c.began_at.desc(), warehouse_outage.c.outage_id.desc()).limit(MOST)
    return [_outage(row) for row in session.execute(newest)]


def holders(session: Session, warehouse_id: str) -> list[str]:
    """Orders that have units held in a warehouse, by id."""
    return list(session.execute(_HOLDERS, {"place": warehouse_id}).scalars())


def waiting_beside(session: Session, places: Collection[str]) -> list[tuple[str, str]]:
    """(Order id, warehouse id) of orders that wait for what these warehouses have free and do not count on, each order once.

    None that is to be sourced again already.
    """
    found: dict[str, str] = {}
    for row in session.execute(_BESIDE, {"places": sorted(places)}):
        found.setdefault(row.order_id, row.warehouse_id)
    return sorted(found.items())


def ask(session: Session, requests: Sequence[SourcingRequest], now: datetime) -> None:
    """Have these orders sourced again; they are told in batches."""
    if requests:
        session.execute(
            insert(sourcing_request),
            [asdict(one) | {"asked_at": now, "notified_at": None, "done_at": None} for one in requests],
        )


def unnotified(session: Session, most: int) -> list[SourcingRequest]:
    """Requests of which their orders have not heard, the oldest first."""
    return [_request(row) for row in session.execute(_UNNOTIFIED, {"most": most})]


def mark_notified(session: Session, requests: Sequence[SourcingRequest], now: datetime) -> bool:
    """Their orders hear of them in this transaction; False where another one was quicker with some."""
    rows = [{"request": one.sourcing_request_id, "at": now} for one in requests]
    return changed(session, _NOTIFIED, rows) == len(rows)


def open_of(session: Session, order_id: str) -> list[SourcingRequest]:
    """What is asked of an order and not done, the oldest first."""
    return [_request(row) for row in session.execute(_OPEN, {"order": order_id})]


def mark_done(session: Session, requests: Sequence[SourcingRequest], now: datetime) -> None:
    """These are answered by a plan."""
    ids = [one.sourcing_request_id for one in requests]
    session.execute(update(sourcing_request).where(sourcing_request.c.sourcing_request_id.in_(ids)).values(done_at=now))


def _outage(row: Row[Any]) -> Outage:
    return Outage(
        row.outage_id,
        row.warehouse_id,
        row.reason,
        row.declared_by,
        row.began_at,
        row.ends_at,
        row.ended_at,
        row.order_count,
    )


def _request(row: Row[Any]) -> SourcingRequest:
    return SourcingRequest(row.sourcing_request_id, row.order_id, row.cause, row.warehouse_id, row.why)
