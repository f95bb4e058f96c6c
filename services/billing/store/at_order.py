"""Orders that are invoiced at order, and the shipments by which they become revenue."""

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import bindparam, exists, func, insert, select, text, update
from sqlmodel import Session

from services.billing.domain.at_order import Amounts, OrderToInvoice, Recognition, Revenue
from services.billing.domain.charging import BilledSoFar, Charges
from services.billing.store import tables
from services.billing.store.billed_lines import IS_OF_GOODS
from services.kernel.money import Money
from services.runtime.db import UtcDateTime

_order, _shipment, _line = tables.order_to_invoice.c, tables.revenue_recognition.c, tables.revenue_recognition_line.c
_PUT = text(
    "INSERT INTO order_to_invoice (order_id, order_number, customer_id, currency, version, invoice_on, state, recorded_at) "
    "VALUES (:order_id, :order_number, :customer_id, :currency, :version, :invoice_on, :state, :recorded_at) "
    "ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, invoice_on = excluded.invoice_on, state = excluded.state, "
    "recorded_at = excluded.recorded_at WHERE order_to_invoice.state <> 'over' AND order_to_invoice.version <= excluded.version"
).bindparams(bindparam("recorded_at", type_=UtcDateTime()))
_SET_STATE = (
    update(tables.order_to_invoice).where(_order.order_id == bindparam("of_order")).values(state=bindparam("new_state"))
)
_FIND = select(tables.order_to_invoice).where(_order.order_id == bindparam("order"))
_DUE = text(
    "SELECT order_id FROM order_to_invoice AS o WHERE state = 'due' AND order_id > :after AND NOT EXISTS "
    "(SELECT 1 FROM credit_wait AS w WHERE w.order_id = o.order_id AND w.is_in_part) ORDER BY order_id LIMIT :most"
)
_IS_KNOWN = select(_shipment.shipment_id).where(_shipment.shipment_id == bindparam("shipment"))
_OF_ORDERS = (
    select(_shipment.order_id, _shipment.shipment_id)
    .where(_shipment.order_id.in_(bindparam("orders", expanding=True)))
    .order_by(_shipment.order_id, _shipment.shipment_id)
)
_CHARGES = select(_shipment.charges).where(_shipment.order_id == bindparam("order"))
_UNITS = (
    select(_line.line_id, func.sum(_line.quantity))
    .join(tables.revenue_recognition, _shipment.shipment_id == _line.shipment_id)
    .where(_shipment.order_id == bindparam("order"))
    .group_by(_line.line_id)
)
_bill, _note = tables.invoice.c, tables.credit_note.c
_INVOICED = select(
    func.coalesce(func.sum(_bill.merchandise_minor - _bill.discount_minor), 0),
    func.coalesce(func.sum(_bill.freight_minor), 0),
).where(_bill.order_id == bindparam("order"), _bill.is_at_order)
_RECOGNIZED = select(
    func.coalesce(func.sum(_shipment.goods_minor), 0), func.coalesce(func.sum(_shipment.freight_minor), 0)
).where(_shipment.order_id == bindparam("order"))
_CREDITED = select(
    func.coalesce(func.sum(_note.merchandise_minor - _note.discount_minor + _note.allowance_minor), 0),
    func.coalesce(func.sum(_note.freight_minor), 0),
).where(
    _note.order_id == bindparam("order"),
    exists().where(_bill.invoice_id == _note.invoice_id, IS_OF_GOODS),
)
_CREDITED_DEFERRED = select(
    func.coalesce(func.sum(_note.deferred_goods_minor), 0), func.coalesce(func.sum(_note.deferred_freight_minor), 0)
).where(_note.order_id == bindparam("order"))


def put(session: Session, order: OrderToInvoice, now: datetime) -> None:
    """Keep that an order is to be invoiced, or is; one that is over, or known by a newer version, stays as it is."""
    session.execute(
        _PUT,
        {
            "order_id": order.order_id,
            "order_number": order.order_number,
            "customer_id": order.customer_id,
            "currency": order.currency,
            "version": order.version,
            "invoice_on": order.invoice_on.isoformat(),
            "state": order.state,
            "recorded_at": now,
        },
    )


def set_state(session: Session, order_id: str, state: str) -> None:
    """What becomes of an order; its customer's account is taken."""
    session.execute(_SET_STATE, {"of_order": order_id, "new_state": state})


def find(session: Session, order_id: str) -> OrderToInvoice | None:
    """An order that is invoiced at order; None for any other."""
    row = session.execute(_FIND, {"order": order_id}).one_or_none()
    if row is None:
        return None
    return OrderToInvoice(
        row.order_id,
        row.order_number,
        row.customer_id,
        row.currency,
        row.version,
        date.fromisoformat(row.invoice_on),
        row.state,
    )


def due(session: Session, after: str, limit: int) -> list[str]:
    """Orders of which something is to be invoiced, behind an id; not those that wait for room under a limit for the rest of them."""
    return [str(order_id) for order_id in session.execute(_DUE, {"after": after, "most": limit}).scalars()]


def has_shipped(session: Session, shipment_id: str) -> bool:
    """Whether a shipment has become revenue."""
    return session.execute(_IS_KNOWN, {"shipment": shipment_id}).one_or_none() is not None


def shipments_of_orders(session: Session, order_ids: Collection[str]) -> list[tuple[str, str]]:
    """(order id, shipment id) of shipments of orders that were invoiced at order."""
    return [(str(one), str(other)) for one, other in session.execute(_OF_ORDERS, {"orders": sorted(order_ids)})]


def shipped_so_far(session: Session, order_id: str, currency: str) -> BilledSoFar:
    """What the shipments of an order would have been billed."""
    sums: Counter[tuple[str, int]] = Counter()
    for charges in session.execute(_CHARGES, {"order": order_id}).scalars():
        sums.update({(key, place): minor for key, minors in charges.items() for place, minor in enumerate(minors)})
    keys = {key for key, _ in sums}
    parts = {key: Charges(*(Money(sums[key, place], currency) for place in range(4))) for key in keys}
    units = session.execute(_UNITS, {"order": order_id})
    return BilledSoFar(
        {str(line_id): int(count) for line_id, count in units}, Charges.sum(parts.values(), currency), parts
    )


def revenue(session: Session, order_id: str, currency: str) -> Revenue:
    """How the revenue of an order that is invoiced at order stands."""
    return Revenue(
        *(
            Amounts(*(Money(int(minor), currency) for minor in session.execute(wanted, {"order": order_id}).one()))
            for wanted in (_INVOICED, _RECOGNIZED, _CREDITED, _CREDITED_DEFERRED)
        )
    )


def add(session: Session, one: Recognition, now: datetime) -> None:
    """Keep a shipment that has become revenue."""
    charges = {
        part.key: [part.merchandise.minor, part.discount.minor, part.freight.minor, part.tax.minor]
        for part in one.billed.parts
    }
    session.execute(
        insert(tables.revenue_recognition),
        {
            "shipment_id": one.shipment_id,
            "order_id": one.order_id,
            "currency": one.amounts.goods.currency,
            "goods_minor": one.amounts.goods.minor,
            "freight_minor": one.amounts.freight.minor,
            "charges": charges,
            "recorded_at": now,
        },
    )
    lines = [
        {"shipment_id": one.shipment_id, "line_id": line.line_id, "quantity": line.quantity}
        for line in one.billed.lines
    ]
    session.execute(insert(tables.revenue_recognition_line), lines)
