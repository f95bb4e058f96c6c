"""Sales orders: numbers, the row and its lines, the lock, phases, and first answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, insert, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services.kernel.errors import NotFound
from services.kernel.ids import sales_order_number
from services.kernel.money import Money, UnitPrice
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.order import ENDED, Address, Line, Order, Totals
from services.orders.models import CounterRow, CustomerRow, LineRow, OrderRow

_FIRST_NUMBER = 1001


@dataclass(frozen=True, slots=True)
class Request:
    """The client request that an order answers."""

    scope: str
    key: str
    sha256: str


def within(scope: Scope) -> ColumnElement[bool]:
    """The condition that every query of orders carries: what the caller may know of."""
    if scope.is_everything:
        return true()
    if scope.company is not None:
        return col(OrderRow.customer_id) == scope.company
    if scope.sales_rep is not None:
        theirs = select(col(CustomerRow.customer_id)).where(col(CustomerRow.sales_rep) == scope.sales_rep)
        return col(OrderRow.customer_id).in_(theirs)
    return col(OrderRow.placed_by) == (scope.placed_by or "")


def next_number(session: Session) -> str:
    """The next sales order number; the counter's row stays locked until the transaction ends, so placing queues here."""
    return sales_order_number(next_value(session, "sales_order"))


def next_value(session: Session, counter: str) -> int:
    """The next value of a counter, from 1001 on without gaps; its row stays locked until the transaction ends."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    first = dialect.insert(CounterRow).values(name=counter, value=_FIRST_NUMBER)
    counted = first.on_conflict_do_update(index_elements=["name"], set_={"value": col(CounterRow.value) + 1}).returning(
        col(CounterRow.value)
    )
    return int(session.execute(counted).scalar_one())


def find_request(session: Session, scope: str, key: str) -> tuple[str, str] | None:
    """(order id, sha256 of the request) that was placed under this key, for ever."""
    query = select(col(OrderRow.order_id), col(OrderRow.request_sha256)).where(
        col(OrderRow.request_scope) == scope, col(OrderRow.request_key) == key
    )
    row = session.execute(query).first()
    return (row[0], row[1]) if row else None


def find_channel_ref(session: Session, channel: str, channel_ref: str) -> tuple[str, str, str] | None:
    """(order id, request scope, sha256) of the order that carries a channel's reference."""
    query = select(col(OrderRow.order_id), col(OrderRow.request_scope), col(OrderRow.request_sha256)).where(
        col(OrderRow.channel) == channel, col(OrderRow.channel_ref) == channel_ref
    )
    row = session.execute(query).first()
    return (row[0], row[1], row[2]) if row else None


def add(session: Session, order: Order, request: Request, start_fact_id: str) -> None:
    """Store a new order with its lines."""
    amounts = {f"{name}_minor": getattr(order.totals, name).minor for name in _AMOUNTS}
    session.execute(
        insert(OrderRow).values(
            **{name: getattr(order, name) for name in _PLAIN},
            **amounts,
            tax_rate=str(order.tax_rate),
            ship_to=asdict(order.ship_to),
            requested_on=order.requested_on.isoformat() if order.requested_on else "",
            event_count=0,
            request_scope=request.scope,
            request_key=request.key,
            request_sha256=request.sha256,
            start_fact_id=start_fact_id,
        )
    )
    rows = [_line_values(order.order_id, position, line) for position, line in enumerate(order.lines, start=1)]
    session.execute(insert(LineRow), rows)


_AMOUNTS = ("merchandise", "discount", "freight", "tax", "total")
_PLAIN = (
    "order_id",
    "number",
    "version",
    "phase",
    "customer_id",
    "customer_name",
    "channel",
    "channel_ref",
    "po_number",
    "currency",
    "payment_method",
    "net_days",
    "is_ship_complete",
    "placed_at",
    "placed_by",
    "placed_by_role",
    "on_behalf_of",
    "note",
    "cleared_at",
    "accepted_at",
    "ended_at",
    "is_backorder_told",
)


def _line_values(order_id: str, position: int, line: Line) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "position": position,
        "line_id": line.line_id,
        "sku": line.sku,
        "description": line.description,
        "kind": line.kind,
        "quantity": line.quantity,
        "unit_price": line.unit_price.text,
        "extended_minor": line.extended.minor,
        "reference_price": line.reference_price.text if line.reference_price else "",
        "price_source": line.price_source,
        "unit_weight_grams": line.unit_weight_grams,
        "is_known": line.is_known,
    }


def lock(session: Session, order_id: str, scope: Scope = EVERYTHING) -> None:
    """Take the order for this transaction; NotFound when it does not exist or the scope hides it."""
    taken = update(OrderRow).where(col(OrderRow.order_id) == order_id, within(scope))
    touched = taken.values(event_count=OrderRow.event_count).returning(col(OrderRow.order_id))
    if session.execute(touched, execution_options={"synchronize_session": False}).first() is None:
        raise _unknown()


def load(session: Session, order_id: str, scope: Scope = EVERYTHING) -> Order:
    """The order; NotFound when it does not exist or the scope hides it."""
    found = load_many(session, [order_id], scope)
    if not found:
        raise _unknown()
    return found[0]


def load_many(session: Session, order_ids: Sequence[str], scope: Scope = EVERYTHING) -> list[Order]:
    """The orders of these ids that exist and the scope shows, by id."""
    query = (
        select(OrderRow).where(col(OrderRow.order_id).in_(order_ids), within(scope)).order_by(col(OrderRow.order_id))
    )
    rows = session.scalars(query, execution_options={"populate_existing": True}).all()
    lines = select(LineRow).where(col(LineRow.order_id).in_([row.order_id for row in rows]))
    by_order: dict[str, list[LineRow]] = {row.order_id: [] for row in rows}
    for line in session.scalars(lines.order_by(col(LineRow.order_id), col(LineRow.position))):
        by_order[line.order_id].append(line)
    return [_order(row, by_order[row.order_id]) for row in rows]


def find_id(session: Session, reference: str, scope: Scope = EVERYTHING) -> str:
    """The id of an order named by its id or its number ("SO-1001"); NotFound as in load()."""
    named = (col(OrderRow.order_id) == reference) | (col(OrderRow.number) == reference)
    order_id = session.execute(select(col(OrderRow.order_id)).where(named, within(scope))).scalar()
    if order_id is None:
        raise _unknown()
    return str(order_id)


def _unknown() -> NotFound:
    return NotFound("ORDER_UNKNOWN", "there is no such order: check its id or number")


def change(session: Session, order_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of an order that is locked."""
    statement = update(OrderRow).where(col(OrderRow.order_id) == order_id).values(**values)
    session.execute(statement, execution_options={"synchronize_session": False})


def keep_answer(session: Session, order_id: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Store the first answer to the client unless one is stored; gives the stored one."""
    lock(session, order_id)
    kept = first_answer(session, order_id)
    if kept is None:
        change(session, order_id, {"first_answer": dict(answer)})
        return dict(answer)
    return kept


def first_answer(session: Session, order_id: str) -> dict[str, Any] | None:
    """What the client was told first; None when it has not been told yet."""
    kept = session.execute(select(col(OrderRow.first_answer)).where(col(OrderRow.order_id) == order_id)).scalar()
    return dict(kept) if kept is not None else None


def start_fact_id(session: Session, order_id: str) -> str:
    """The outbox row that would start the order's workflow."""
    query = select(col(OrderRow.start_fact_id)).where(col(OrderRow.order_id) == order_id)
    return str(session.execute(query).scalar_one())


def ended(session: Session, order_ids: Sequence[str]) -> list[str]:
    """Those ids whose order has ended or never existed, in the order asked."""
    query = select(col(OrderRow.order_id)).where(
        col(OrderRow.order_id).in_(order_ids), col(OrderRow.phase).notin_(sorted(ENDED))
    )
    alive = set(session.scalars(query))
    return [order_id for order_id in order_ids if order_id not in alive]


def _order(row: OrderRow, lines: Sequence[LineRow]) -> Order:
    currency = row.currency
    return Order(
        **{name: getattr(row, name) for name in _PLAIN},
        tax_rate=Decimal(row.tax_rate),
        ship_to=Address(**row.ship_to),
        requested_on=date.fromisoformat(row.requested_on) if row.requested_on else None,
        lines=tuple(_line(line, currency) for line in lines),
        totals=Totals(**{name: Money(getattr(row, f"{name}_minor"), currency) for name in _AMOUNTS}),
    )


def _line(row: LineRow, currency: str) -> Line:
    return Line(
        line_id=row.line_id,
        sku=row.sku,
        description=row.description,
        kind=row.kind,
        quantity=row.quantity,
        unit_price=UnitPrice.parse(row.unit_price, currency),
        extended=Money(row.extended_minor, currency),
        reference_price=UnitPrice.parse(row.reference_price, currency) if row.reference_price else None,
        price_source=row.price_source,
        unit_weight_grams=row.unit_weight_grams,
        is_known=row.is_known,
    )


def duplicates(session: Session, order: Order) -> list[str]:
    """Numbers of the customer's earlier orders with the same purchase order number that were not refused or withdrawn."""
    if not order.po_number:
        return []
    query = select(col(OrderRow.number)).where(
        col(OrderRow.customer_id) == order.customer_id,
        col(OrderRow.po_number) == order.po_number,
        _earlier(order.placed_at, order.order_id),
        col(OrderRow.phase).notin_(["rejected", "cancelled", "expired", "failed"]),
    )
    return list(session.scalars(query.order_by(col(OrderRow.placed_at), col(OrderRow.order_id)).limit(10)))


def _earlier(placed_at: datetime, order_id: str) -> ColumnElement[bool]:
    same_instant = (col(OrderRow.placed_at) == placed_at) & (col(OrderRow.order_id) < order_id)
    return (col(OrderRow.placed_at) < placed_at) | same_instant
