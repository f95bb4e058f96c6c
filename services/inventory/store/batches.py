"""Queries over what a batch leaves for the next one: SKUs whose queue is not served yet, orders that are to hear of other days."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from services.inventory.domain.backorders import Waiting
from services.inventory.store.tables import unfilled, unnotified

# the clause is PostgreSQL's and SQLite's alike
_LEAVE, _LEAVE_UNNOTIFIED = (postgresql.insert(table).on_conflict_do_nothing() for table in (unfilled, unnotified))
_NEXT = select(unfilled.c.sku).order_by(unfilled.c.sku).limit(bindparam("most"))
_NAMED = unfilled.c.sku.in_(bindparam("skus", expanding=True))
_LEFT_OF, _DONE = select(unfilled.c.sku).where(_NAMED), delete(unfilled).where(_NAMED)
_FIRST = (
    select(unnotified.c.order_id)
    .order_by(unnotified.c.placed_at_micros, unnotified.c.order_id)
    .limit(bindparam("most"))
)
_TAKE = (
    delete(unnotified)
    .where(unnotified.c.order_id.in_(bindparam("orders", expanding=True)))
    .returning(unnotified.c.order_id, unnotified.c.reservation_id)
)


def leave(session: Session, skus: Collection[str], now: datetime) -> None:
    """The next batch goes on with the queues of these SKUs; one that was left before keeps its time."""
    if skus:
        session.execute(_LEAVE, [{"sku": sku, "left_at": now} for sku in sorted(skus)])


def next_left(session: Session, most: int) -> list[str]:
    """SKUs whose queues are still to be filled."""
    return list(session.execute(_NEXT, {"most": most}).scalars())


def left_of(session: Session, skus: Collection[str]) -> set[str]:
    """Those of these SKUs whose queues are still to be filled; the caller has their turns."""
    return set(session.execute(_LEFT_OF, {"skus": list(skus)}).scalars()) if skus else set()


def done(session: Session, skus: Collection[str]) -> None:
    """The queues of these SKUs are taken up, by whoever has their turns."""
    session.execute(_DONE, {"skus": list(skus)})


def leave_unnotified(session: Session, orders: Collection[Waiting], now: datetime) -> None:
    """The next batches tell the orders of these backorders where they stand, in the turn of the queue."""
    if orders:
        rows = [
            {
                "order_id": one.order_id,
                "reservation_id": one.reservation_id,
                "placed_at_micros": one.placed_at_micros,
                "left_at": now,
            }
            for one in sorted(orders, key=lambda one: one.order_id)
        ]
        session.execute(_LEAVE_UNNOTIFIED, rows)


def next_unnotified(session: Session, most: int) -> list[str]:
    """Orders that are still to hear of other days, in the turn of the queue."""
    return list(session.execute(_FIRST, {"most": most}).scalars())


def take_unnotified(session: Session, order_ids: Collection[str]) -> dict[str, str]:
    """Those of these orders that are now told, order id → reservation id. Take them before reading where they stand.

    Whoever moves their days meanwhile waits for this transaction and leaves them to the next one.
    """
    return {row.order_id: row.reservation_id for row in session.execute(_TAKE, {"orders": list(order_ids)})}
