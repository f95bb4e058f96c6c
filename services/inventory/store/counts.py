"""Queries over counts: who holds what is counted, what was counted, and who lost by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, select, update
from sqlmodel import Session

from services.inventory.domain.allocation_policy import ORDER_COMPLETE, AllocationPolicy, Claim
from services.inventory.domain.backorders import Waiting
from services.inventory.domain.counting import Count, Difference, Holder, LostLine, OpenCount
from services.inventory.store.allocation import place_of
from services.inventory.store.tables import NOTHING, allocation, backorder, count_loss, reservation, stock, stock_count
from services.kernel.ids import new_id
from services.runtime.audit import Invariant

_earlier = allocation.alias("earlier")
_of_before = reservation.alias("of_before")
_SHIPPED = (
    select(func.coalesce(func.sum(_earlier.c.shipped_quantity), NOTHING))
    .select_from(_earlier)
    .join(_of_before, _of_before.c.reservation_id == _earlier.c.reservation_id)
    .where(
        _of_before.c.order_id == reservation.c.order_id,
        _earlier.c.line_id == allocation.c.line_id,
        _earlier.c.warehouse_id == allocation.c.warehouse_id,
    )
    .scalar_subquery()
)
_HOLDERS = (
    select(allocation, reservation.c.order_id, reservation.c.placed_at_micros, _SHIPPED.label("shipped"))
    .add_columns(
        reservation.c.customer_tier,
        reservation.c.requested_on,
        reservation.c.is_order_complete,
        reservation.c.is_expedited,
    )
    .join(reservation, reservation.c.reservation_id == allocation.c.reservation_id)
    .where(
        allocation.c.warehouse_id == bindparam("place"),
        allocation.c.sku == bindparam("of_sku"),
        allocation.c.held_quantity > NOTHING,
    )
    .order_by(allocation.c.reservation_id, allocation.c.line_id)
)
_LEVEL = select(stock.c.on_hand, stock.c.allocated).where(
    stock.c.warehouse_id == bindparam("place"), stock.c.sku == bindparam("of_sku")
)
_THEIRS = select(backorder).where(backorder.c.reservation_id.in_(bindparam("reservations", expanding=True)))


def level(session: Session, warehouse_id: str, sku: str) -> tuple[int, int]:
    """Units on hand, and those of them that are promised."""
    row = session.execute(_LEVEL, {"place": warehouse_id, "of_sku": sku}).first()
    return (row.on_hand, row.allocated) if row else (0, 0)


def holders(session: Session, warehouse_id: str, sku: str, terms: AllocationPolicy) -> list[Holder]:
    """Every order line that holds units there, with the place that it has or would have in the queue."""
    rows = session.execute(_HOLDERS, {"place": warehouse_id, "of_sku": sku}).all()
    if not rows:
        return []
    reservations = sorted({row.reservation_id for row in rows})
    known = {(row.reservation_id, row.line_id): row for row in session.execute(_THEIRS, {"reservations": reservations})}
    return [_holder(session, row, known.get((row.reservation_id, row.line_id)), terms) for row in rows]


def _holder(session: Session, row: Row[Any], line: Row[Any] | None, terms: AllocationPolicy) -> Holder:
    """A line that has waited before keeps its backorder; its place is the policy's of today, as for all who wait."""
    claim = Claim(row.customer_tier, row.requested_on, row.is_order_complete, row.is_expedited)
    waiting = Waiting(
        line.backorder_id if line else new_id("bo"),
        row.reservation_id,
        row.order_id,
        row.line_id,
        row.sku,
        line.waiting_quantity if line else 0,
        row.placed_at_micros,
        (),  # its reservation has stored who may fill it
        place_of(session, terms, claim, row.placed_at_micros),
    )
    return Holder(waiting, row.held_quantity, int(row.shipped))


def skus_beside(session: Session, warehouse_id: str, sku: str) -> set[str]:
    """Every SKU of the orders that ship complete and hold some of this one there: they are kept together, or not, as a whole."""
    of = (
        select(reservation.c.reservation_id)
        .join(allocation, allocation.c.reservation_id == reservation.c.reservation_id)
        .where(
            reservation.c.is_order_complete,
            allocation.c.warehouse_id == warehouse_id,
            allocation.c.sku == sku,
            allocation.c.held_quantity > NOTHING,
        )
    )
    held = select(allocation.c.sku).where(allocation.c.reservation_id.in_(of))
    waiting = select(backorder.c.sku).where(backorder.c.reservation_id.in_(of))
    return set(session.execute(held.union(waiting)).scalars())


def keep(session: Session, count_id: str, count: Count, found: Difference, movement_id: str, now: datetime) -> None:
    """Keep a count and what orders lost by it."""
    values = {
        "count_id": count_id,
        "warehouse_id": count.warehouse_id,
        "sku": count.sku,
        "counted": count.counted,
        "delta": found.delta,
        "movement_id": movement_id,
        "reason": count.reason,
        "counted_by": count.counted_by,
        "counted_at": now,
        "closed_at": None if found.losses else now,
        "shipment_id": count.shipment_id,
    }
    session.execute(insert(stock_count), values)
    rows = [
        {
            "count_id": count_id,
            "reservation_id": one.holder.line.reservation_id,
            "line_id": one.holder.line.line_id,
            "order_id": one.holder.line.order_id,
            "quantity": one.quantity,
            "released_quantity": one.released,
            "is_whole_order": one.holder.line.place.delivery == ORDER_COMPLETE and not one.is_begun,
        }
        for one in found.losses
    ]
    if rows:
        session.execute(insert(count_loss), rows)


def open_counts(session: Session, count_id: str, limit: int) -> list[OpenCount]:
    """Counts that orders lost by and that are not closed, the oldest first; only the one that is named, if one is."""
    is_wanted: ColumnElement[bool] = stock_count.c.closed_at.is_(None)
    if count_id:
        is_wanted &= stock_count.c.count_id == count_id
    oldest = (
        select(stock_count).where(is_wanted).order_by(stock_count.c.counted_at, stock_count.c.count_id).limit(limit)
    )
    return [
        OpenCount(row.count_id, row.warehouse_id, row.sku, row.reason, _lost_by(session, row.count_id), row.shipment_id)
        for row in session.execute(oldest)
    ]


def open_short_pick(session: Session, shipment_id: str, line_id: str) -> str | None:
    """The short pick of a line that its shipment has not heard of."""
    of_line = (
        select(stock_count.c.count_id)
        .join(count_loss, count_loss.c.count_id == stock_count.c.count_id)
        .where(
            stock_count.c.closed_at.is_(None),
            stock_count.c.shipment_id == shipment_id,
            count_loss.c.line_id == line_id,
        )
    )
    return session.execute(of_line).scalar() if shipment_id else None


def _lost_by(session: Session, count_id: str) -> tuple[LostLine, ...]:
    rows = session.execute(
        select(count_loss.c.order_id, count_loss.c.line_id, count_loss.c.is_whole_order, count_loss.c.quantity)
        .where(count_loss.c.count_id == count_id)
        .order_by(count_loss.c.order_id, count_loss.c.line_id)
    )
    return tuple(LostLine(row.order_id, row.line_id, row.is_whole_order, row.quantity) for row in rows)


def close(session: Session, count_id: str, now: datetime) -> bool:
    """Close a count, if it is open; whether it is known."""
    known = session.execute(select(stock_count.c.count_id).where(stock_count.c.count_id == count_id)).first()
    is_open = (stock_count.c.count_id == count_id) & stock_count.c.closed_at.is_(None)
    session.execute(update(stock_count).where(is_open).values(closed_at=now))
    return known is not None


INVARIANTS = (
    Invariant(
        "inventory.counts_are_moved",
        "a count that differs from the books is a movement of the difference, and nobody loses more than was missing",
        """
        SELECT c.count_id || ': ' || c.delta || ' ' || c.sku || ' in ' || c.warehouse_id AS offender
        FROM stock_count c LEFT JOIN movement m ON m.movement_id = c.movement_id
        LEFT JOIN (SELECT count_id, SUM(quantity) AS units FROM count_loss GROUP BY count_id) l ON l.count_id = c.count_id
        WHERE (c.delta <> 0 AND (m.movement_id IS NULL OR m.quantity <> c.delta OR m.kind <> 'adjusted'))
           OR (l.units IS NOT NULL AND l.units > -c.delta)
        """,
    ),
    Invariant(
        "inventory.count_losses_wait_again",
        "what an order lost by counts was let go of, and was waited for again",
        """
        SELECT 'order ' || l.order_id || ', line ' || l.line_id || ': lost ' || l.units AS offender
        FROM (SELECT reservation_id, line_id, order_id, SUM(quantity) AS units FROM count_loss
              GROUP BY reservation_id, line_id, order_id) l
        LEFT JOIN backorder b ON b.reservation_id = l.reservation_id AND b.line_id = l.line_id
        WHERE b.backorder_id IS NULL OR b.waiting_quantity + b.filled_quantity + b.cancelled_quantity < l.units
           OR (SELECT COALESCE(SUM(a.released_quantity), 0) FROM allocation a
               WHERE a.reservation_id = l.reservation_id AND a.line_id = l.line_id) < l.units
        """,
    ),
)
IN_TIME = (
    Invariant(
        "inventory.counts_reach_shipments",
        "what orders lost by a count leaves their shipments soon after it",
        """
        SELECT count_id || ': ' || sku || ' in ' || warehouse_id || ' was counted, and shipments may still carry it' AS offender
        FROM stock_count WHERE closed_at IS NULL AND counted_at < :overdue
        """,
    ),
)
