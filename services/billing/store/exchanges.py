"""Exchanges: what left without an invoice and what of it is charged, and cash of returns that is held for replacements."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select
from sqlmodel import Session

from services.billing.domain.credit_notes import LeftOver
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.statements import inserted

_left, _charge, _bill = tables.exchanged_line.c, tables.exchange_charge.c, tables.invoice.c
_held, _refunded = tables.return_cash_held.c, tables.return_refund.c
_OF_ORDER = (
    select(tables.exchanged_line)
    .where(_left.order_id == bindparam("order"))
    .order_by(_left.left_at, _left.shipment_id, _left.line_id)
)
_SHIPMENTS = (
    select(_left.order_id, _left.shipment_id)
    .where(_left.order_id.in_(bindparam("orders", expanding=True)))
    .distinct()
    .order_by(_left.order_id, _left.shipment_id)
)
_IS_KNOWN = select(_left.order_id).where(_left.shipment_id == bindparam("shipment")).limit(1)
_DROP = delete(tables.exchanged_line).where(_left.shipment_id == bindparam("shipment"))
_IS_SETTLED = select(tables.exchange_settlement.c.order_id).where(
    tables.exchange_settlement.c.order_id == bindparam("order")
)
_CHARGES = select(_charge.line_id, _charge.quantity).where(_charge.order_id == bindparam("order"))
_BILLED = select(_bill.shipment_id).where(_bill.order_id == bindparam("order"), _bill.shipment_id != "")
_HELD = select(func.coalesce(func.sum(_held.amount_minor), 0)).where(
    _held.credit_note_id == bindparam("note"), _held.payment_id == bindparam("payment")
)
_REFUNDED = select(func.coalesce(func.sum(_refunded.amount_minor), 0)).where(
    _refunded.credit_note_id == bindparam("note"), _refunded.payment_id == bindparam("payment")
)


def leave(session: Session, shipment_id: str, order_id: str, units: Mapping[str, int], now: datetime) -> None:
    """Keep what left in a shipment; one that is known stays as it is."""
    if is_known(session, shipment_id):
        return
    rows = [
        {"shipment_id": shipment_id, "order_id": order_id, "line_id": line_id, "quantity": count, "left_at": now}
        for line_id, count in units.items()
    ]
    session.execute(insert(tables.exchanged_line), rows)


def is_known(session: Session, shipment_id: str) -> bool:
    """Whether a shipment left in place of returned goods."""
    return session.execute(_IS_KNOWN, {"shipment": shipment_id}).first() is not None


def drop(session: Session, shipment_id: str) -> None:
    """A shipment never left."""
    session.execute(_DROP, {"shipment": shipment_id})


def left(session: Session, order_id: str) -> dict[str, dict[str, int]]:
    """Shipment id → line id → units that left in it, the oldest first."""
    rows = session.execute(_OF_ORDER, {"order": order_id}).all()
    return {key: {row.line_id: row.quantity for row in group} for key, group in groupby(rows, lambda r: r.shipment_id)}


def shipments_of_orders(session: Session, order_ids: Collection[str]) -> list[tuple[str, str]]:
    """Order id and shipment id of all that left for these orders."""
    return [(row.order_id, row.shipment_id) for row in session.execute(_SHIPMENTS, {"orders": sorted(order_ids)})]


def settle(session: Session, order_id: str, charged: Mapping[str, int], now: datetime) -> None:
    """Keep which units of an order are charged; what was said before stays."""
    if not inserted(session, tables.exchange_settlement, order_id=order_id, settled_at=now) or not charged:
        return
    rows = [{"order_id": order_id, "line_id": line_id, "quantity": count} for line_id, count in charged.items()]
    session.execute(insert(tables.exchange_charge), rows)


def is_settled(session: Session, order_id: str) -> bool:
    """Whether it is known what of an order is charged."""
    return session.execute(_IS_SETTLED, {"order": order_id}).first() is not None


def charges(session: Session, order_id: str) -> Counter[str]:
    """Line id → units that are charged."""
    return Counter({row.line_id: row.quantity for row in session.execute(_CHARGES, {"order": order_id})})


def billed_shipments(session: Session, order_id: str) -> frozenset[str]:
    """Shipments of an order that are on an invoice."""
    return frozenset(str(one) for one in session.execute(_BILLED, {"order": order_id}).scalars())


def held(session: Session, credit_note_id: str, part: LeftOver) -> Money:
    """What of a part of a credit note's cash is held for a replacement."""
    return _sum(session, _HELD, credit_note_id, part)


def used(session: Session, credit_note_id: str, part: LeftOver) -> Money:
    """What of a part of a credit note's cash is held for a replacement, or has gone back."""
    return held(session, credit_note_id, part) + _sum(session, _REFUNDED, credit_note_id, part)


def hold(session: Session, credit_note_id: str, part: LeftOver, order_id: str, now: datetime) -> None:
    """Keep that a part of a credit note's cash is held for an order."""
    values = {
        "credit_note_id": credit_note_id,
        "payment_id": part.payment_id,
        "order_id": order_id,
        "amount_minor": part.amount.minor,
        "held_at": now,
    }
    session.execute(insert(tables.return_cash_held), values)


def _sum(session: Session, query: Select[tuple[Any]], credit_note_id: str, part: LeftOver) -> Money:
    minor = session.execute(query, {"note": credit_note_id, "payment": part.payment_id}).scalar_one()
    return Money(int(minor), part.amount.currency)
