"""Shipments that have left, those that wait for their invoice, and the one conditional UPDATE that puts them on one."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, insert, select, text, update
from sqlmodel import Session

from services.billing.domain.billable import Billable
from services.billing.store import tables
from services.kernel.invoicing import PER_DELIVERY, PERIODIC
from services.kernel.money import Money
from services.runtime.statements import changed

_row, _line = tables.billable_shipment.c, tables.billable_line.c
_ADD, _ADD_LINES = insert(tables.billable_shipment), insert(tables.billable_line)
_WAITS = _row.invoice_id.is_(None)
_ALL = select(tables.billable_shipment).order_by(_row.position)
_WAITING = select(tables.billable_shipment).where(_WAITS).order_by(_row.recorded_at, _row.shipment_id)
_OF_SHIPMENTS = _ALL.where(_row.shipment_id.in_(bindparam("shipments", expanding=True)))
_OF_ORDERS = _ALL.where(_row.order_id.in_(bindparam("orders", expanding=True)), _WAITS)
_OF_DRAFT = _ALL.where(_row.draft_id == bindparam("draft"), text("draft_id <> ''"))  # the words of its index
_LINES = select(tables.billable_line).where(_line.shipment_id.in_(bindparam("shipments", expanding=True)))
_PUT_ON = (
    update(tables.billable_shipment)
    .where(_row.shipment_id.in_(bindparam("shipments", expanding=True)), _WAITS, _row.draft_id == bindparam("of_draft"))
    .values(invoice_id=bindparam("invoice"))
)
_ARRIVED = text(
    "UPDATE billable_shipment SET invoice_on = (SELECT d.delivered_on FROM delivery AS d "  # noqa: S608 - a constant
    "WHERE d.shipment_id = billable_shipment.shipment_id) WHERE invoice_id IS NULL AND invoice_on = '' "
    f"AND policy = '{PER_DELIVERY}' AND shipment_id IN :shipments"
).bindparams(bindparam("shipments", expanding=True))
_IS_DUE = (_row.invoice_on != "") & (
    (_row.invoice_on < bindparam("today"))
    | ((_row.invoice_on == bindparam("today")) & _row.policy.not_in(sorted(PERIODIC)))
)
_DUE = (
    select(_row.invoice_on, _row.order_id)
    .where(_WAITS, _row.draft_id == "", _IS_DUE)
    .distinct()
    .order_by(_row.invoice_on, _row.order_id)
    .limit(bindparam("most"))
)
_DUE_OF_ORDER = _ALL.where(
    _row.order_id == bindparam("order"), _WAITS, _row.draft_id == "", _row.invoice_on == bindparam("day")
)
_DUE_TOGETHER = _ALL.where(
    _row.customer_id == bindparam("customer"),
    _row.currency == bindparam("of_currency"),
    _row.policy == bindparam("policy"),
    _WAITS,
    _row.draft_id == "",
    _row.invoice_on == bindparam("day"),
)


def add(session: Session, shipment: Billable) -> None:
    """Keep a shipment that left, with its lines while it waits."""
    session.execute(
        _ADD,
        {
            "shipment_id": shipment.shipment_id,
            "order_id": shipment.order_id,
            "order_number": shipment.order_number,
            "customer_id": shipment.customer_id,
            "currency": shipment.amount.currency,
            "policy": shipment.policy,
            "shipped_on": shipment.shipped_on.isoformat(),
            "invoice_on": shipment.invoice_on.isoformat() if shipment.invoice_on else "",
            "amount_minor": shipment.amount.minor,
            "draft_id": "",
            "invoice_id": shipment.invoice_id or None,
            "recorded_at": shipment.recorded_at,
        },
    )
    if not shipment.invoice_id:
        lines = [
            {"shipment_id": shipment.shipment_id, "line_id": line_id, "quantity": units, "billed_quantity": 0}
            for line_id, units in shipment.quantities.items()
        ]
        session.execute(_ADD_LINES, lines)


def find(session: Session, shipment_id: str) -> Billable | None:
    """A shipment that left, whether it is invoiced or waits; None when billing has not heard of it."""
    return next(iter(of_shipments(session, [shipment_id])), None)


def of_shipments(session: Session, shipment_ids: Collection[str]) -> list[Billable]:
    """Those of these shipments that billing has heard of, the longest kept first."""
    return _many(session, _OF_SHIPMENTS, {"shipments": sorted(shipment_ids)})


def waiting_of_orders(session: Session, order_ids: Collection[str]) -> list[Billable]:
    """The shipments of these orders that wait, the longest first."""
    return _many(session, _OF_ORDERS, {"orders": sorted(order_ids)})


def of_draft(session: Session, draft_id: str) -> list[Billable]:
    """The shipments that a draft holds."""
    return _many(session, _OF_DRAFT, {"draft": draft_id})


def put_on(session: Session, shipment_ids: Collection[str], invoice_id: str, draft_id: str = "") -> bool:
    """Put shipments on an invoice, all or none: whether each still waited, for everybody or for this draft."""
    terms = {"shipments": sorted(shipment_ids), "invoice": invoice_id, "of_draft": draft_id}
    return changed(session, _PUT_ON, terms) == len(set(shipment_ids))


def arrived(session: Session, shipment_ids: Collection[str]) -> bool:
    """Give those that are invoiced per delivery their day; whether there were any."""
    return bool(shipment_ids) and changed(session, _ARRIVED, {"shipments": sorted(shipment_ids)}) > 0


def due(session: Session, today: date, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
    """Invoices to be made: (day, order id), the earliest day first, behind `after`."""
    wanted = _DUE
    if after[0]:
        day, order_id = after
        wanted = wanted.where((_row.invoice_on > day) | ((_row.invoice_on == day) & (_row.order_id > order_id)))
    rows = session.execute(wanted, {"today": today.isoformat(), "most": limit})
    return [(str(day), str(order_id)) for day, order_id in rows]


def due_of_order(session: Session, order_id: str, day: str) -> list[Billable]:
    """The shipments of an order that wait for the invoice of that day."""
    return _many(session, _DUE_OF_ORDER, {"order": order_id, "day": day})


def due_together(session: Session, order_id: str, day: str) -> list[Billable]:
    """The shipments whose invoice bears that day of all orders of the order's customer that have its policy and currency."""
    own = due_of_order(session, order_id, day)
    if not own:
        return []
    first = own[0]
    found = {"customer": first.customer_id, "of_currency": first.amount.currency, "policy": first.policy, "day": day}
    return _many(session, _DUE_TOGETHER, found)


def count(session: Session, *, customer_id: str, policy: str) -> int:
    """How many shipments wait; an empty filter does not filter."""
    wanted = select(func.count()).select_from(tables.billable_shipment).where(_WAITS)
    if customer_id:
        wanted = wanted.where(_row.customer_id == customer_id)
    if policy:
        wanted = wanted.where(_row.policy == policy)
    return int(session.execute(wanted).scalar_one())


def page(
    session: Session, *, customer_id: str, policy: str, after: tuple[datetime, str] | None, limit: int
) -> list[Billable]:
    """Shipments that wait, the longest first, behind this moment and shipment; an empty filter does not filter."""
    wanted = _WAITING.limit(limit)
    if customer_id:
        wanted = wanted.where(_row.customer_id == customer_id)
    if policy:
        wanted = wanted.where(_row.policy == policy)
    if after is not None:
        since, shipment_id = after
        wanted = wanted.where(
            (_row.recorded_at > since) | ((_row.recorded_at == since) & (_row.shipment_id > shipment_id))
        )
    return _many(session, wanted, {})


def _many(session: Session, wanted: Select[Any], terms: dict[str, Any]) -> list[Billable]:
    rows = session.execute(wanted, terms).all()
    if not rows:
        return []
    waiting = [row.shipment_id for row in rows]
    found = session.execute(_LINES.order_by(_line.shipment_id), {"shipments": waiting}).all()
    lines = {key: list(group) for key, group in groupby(found, key=lambda line: str(line.shipment_id))}
    return [_billable(row, lines.get(row.shipment_id, [])) for row in rows]


def _billable(row: Row[Any], lines: Sequence[Row[Any]]) -> Billable:
    recorded_at: datetime = row.recorded_at
    return Billable(
        shipment_id=row.shipment_id,
        order_id=row.order_id,
        order_number=row.order_number,
        customer_id=row.customer_id,
        policy=row.policy,
        shipped_on=date.fromisoformat(row.shipped_on),
        invoice_on=date.fromisoformat(row.invoice_on) if row.invoice_on else None,
        amount=Money(row.amount_minor, row.currency),
        recorded_at=recorded_at,
        quantities={
            line.line_id: line.quantity - line.billed_quantity for line in lines if line.quantity > line.billed_quantity
        },
        position=row.position,
        invoice_id=row.invoice_id or "",
        draft_id=row.draft_id,
    )
