"""Queries over goods in quarantine and what was decided of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, ScalarSelect, func, insert, literal_column, select, text
from sqlmodel import Session

from services.inventory.domain.quarantine import Decision, Quarantined
from services.inventory.store.tables import quarantine_decision, returned_stock
from services.kernel.errors import NotFound
from services.kernel.money import Money
from services.runtime.audit import Invariant

_IS_APART = text("returned_stock.disposition IN ('quarantine', 'refurbish')")


def _decided(column: Column[int]) -> ScalarSelect[int]:
    """What decisions took of units: read by index for each, since what was ever decided only grows."""
    taken = select(func.coalesce(func.sum(column), literal_column("0")))
    return taken.where(quarantine_decision.c.movement_id == returned_stock.c.movement_id).scalar_subquery()


_UNITS, _MINOR = _decided(quarantine_decision.c.quantity), _decided(quarantine_decision.c.value_minor)
_APART = (
    select(returned_stock, _UNITS.label("decided"), _MINOR.label("decided_minor"))
    .where(_IS_APART)
    .order_by(returned_stock.c.movement_id)
)
_VALUE = (
    select(returned_stock.c.currency, func.sum(returned_stock.c.value_minor - _MINOR).label("worth"))
    .where(_IS_APART)
    .group_by(returned_stock.c.currency)
    .order_by(returned_stock.c.currency)
)


def get(session: Session, movement_id: str) -> Quarantined:
    """Units by their id, decided or not; NotFound QUARANTINE_UNKNOWN."""
    row = session.execute(_APART.where(returned_stock.c.movement_id == movement_id)).first()
    if row is None:
        raise NotFound("QUARANTINE_UNKNOWN", f"no goods {movement_id[:40]} are in quarantine: look at the list again")
    return _quarantined(row)


def page(session: Session, warehouse_id: str, sku: str, after: str, limit: int) -> list[Quarantined]:
    """Units that are not decided, from behind the one of id `after`: ids rise with the time. An empty filter does not filter."""
    wanted = _APART.where(returned_stock.c.movement_id > after, returned_stock.c.quantity > _UNITS)
    if warehouse_id:
        wanted = wanted.where(returned_stock.c.warehouse_id == warehouse_id)
    if sku:
        wanted = wanted.where(returned_stock.c.sku == sku)
    return [_quarantined(row) for row in session.execute(wanted.limit(limit))]


def add(session: Session, decision_id: str, decision: Decision, value: Money, now: datetime) -> None:
    """Keep a decision."""
    values = {
        "decision_id": decision_id,
        "movement_id": decision.movement_id,
        "outcome": decision.outcome,
        "quantity": decision.quantity,
        "value_minor": value.minor,
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "decided_at": now,
    }
    session.execute(insert(quarantine_decision), values)


def value(session: Session) -> list[Money]:
    """What all goods in quarantine had cost, one a currency."""
    return [Money(int(row.worth), row.currency) for row in session.execute(_VALUE)]


def _quarantined(row: Row[Any]) -> Quarantined:
    return Quarantined(
        row.movement_id,
        row.warehouse_id,
        row.sku,
        row.disposition,
        row.order_id,
        row.return_id,
        row.taken_at,
        row.quantity,
        Money(row.value_minor, row.currency),
        int(row.decided),
        Money(int(row.decided_minor), row.currency),
        row.reason,
    )


INVARIANTS = (
    Invariant(
        "inventory.quarantine_is_decided_once",
        "no more units leave quarantine than came into it, nor at another value, and all of them leave at what they had cost",
        """
        SELECT b.movement_id || ': ' || d.units || ' of ' || b.quantity || ' ' || b.sku AS offender
        FROM returned_stock b JOIN (SELECT movement_id, SUM(quantity) AS units, SUM(value_minor) AS minor
                                    FROM quarantine_decision GROUP BY movement_id) d ON d.movement_id = b.movement_id
        WHERE b.disposition NOT IN ('quarantine', 'refurbish') OR d.units > b.quantity OR d.minor > b.value_minor
           OR (d.units = b.quantity AND d.minor <> b.value_minor)
        """,
    ),
    Invariant(
        "inventory.damaged_was_counted_out",
        "what was damaged in a warehouse left stock by a count of as many units and as much value, or more",
        """
        SELECT b.movement_id || ': ' || b.quantity || ' ' || b.sku AS offender
        FROM returned_stock b LEFT JOIN stock_count c ON c.count_id = b.request_id
        LEFT JOIN movement m ON m.movement_id = c.movement_id
        WHERE b.order_id = '' AND (m.movement_id IS NULL OR c.sku <> b.sku OR c.warehouse_id <> b.warehouse_id
                                   OR b.quantity > -m.quantity OR b.value_minor > -m.value_minor)
        """,
    ),
    Invariant(
        "inventory.released_is_moved",
        "what was released from quarantine is a movement of as many units at the same value, and nothing else that left it is one",
        """
        SELECT d.decision_id || ': ' || d.outcome || ' of ' || d.quantity AS offender
        FROM quarantine_decision d LEFT JOIN movement m ON m.movement_id = d.decision_id
        WHERE (d.outcome = 'release') <> (m.movement_id IS NOT NULL)
           OR (m.movement_id IS NOT NULL AND (m.quantity <> d.quantity OR m.value_minor <> d.value_minor))
        """,
    ),
)
