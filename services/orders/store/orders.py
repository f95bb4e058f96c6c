"""Sales orders: numbers, the row and its lines, the lock, phases, and first answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, insert, select, text, true, update
from sqlalchemy.dialects import postgresql
from sqlmodel import Session, col

from services.kernel.errors import NotFound
from services.kernel.ids import sales_order_number
from services.kernel.money import Money, UnitPrice
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.order import ENDED, Address, Line, Order, Settlement
from services.orders.models import CounterRow, CustomerRow, LineRow, OrderRow
from services.orders.store import taxes
from services.runtime.db import JsonText, table_of
from services.runtime.sessions import unchanging

_FIRST_NUMBER = 1001
_KEPT_SCOPES = 500
"""Of how many callers the statements are kept."""
_KEPT_LINES = 100
"""Up to so many lines an order stays in memory."""

_order, _line, _counter, _customer = (table_of(rows) for rows in (OrderRow, LineRow, CounterRow, CustomerRow))
_is_it = _order.c.order_id == bindparam("of")
_first_number = postgresql.insert(_counter).values(value=_FIRST_NUMBER)
# the clause is PostgreSQL's and SQLite's alike
_NEXT_VALUE = _first_number.on_conflict_do_update(
    index_elements=["name"], set_={"value": _counter.c.value + 1}
).returning(_counter.c.value)
_FIND_REQUEST = select(_order.c.order_id, _order.c.request_sha256).where(
    _order.c.request_scope == bindparam("scope"), _order.c.request_key == bindparam("key")
)
_FIND_CHANNEL_REF = select(_order.c.order_id, _order.c.request_scope, _order.c.request_sha256).where(
    _order.c.channel == bindparam("channel"),
    _order.c.ref_issuer == bindparam("ref_issuer"),
    _order.c.channel_key == bindparam("channel_key"),
    # said in the statement itself, the index of references serves
    text("channel_key <> '' AND phase NOT IN ('rejected', 'cancelled', 'expired', 'failed')"),
)
_TAKE_MANY = (
    select(_order)
    .where(_order.c.order_id.in_(bindparam("of", expanding=True)))
    .order_by(_order.c.order_id)
    .with_for_update(key_share=True)
)
_ADD, _ADD_LINES = insert(_order), insert(_line)
_LINES = select(_line).where(_line.c.order_id == bindparam("of")).order_by(_line.c.position)
_LINES_OF_MANY = (
    select(_line)
    .where(_line.c.order_id.in_(bindparam("of", expanding=True)))
    .order_by(_line.c.order_id, _line.c.position)
)
_CHANGE = update(_order).where(_is_it)
_DROP_LINES = delete(_line).where(_line.c.order_id == bindparam("of"))
_KEEP_ANSWER = (
    update(_order)
    .where(_is_it)
    .values(first_answer=func.coalesce(_order.c.first_answer, bindparam("answer", type_=JsonText)))
    .returning(_order.c.first_answer)
)
_FIRST_ANSWER = select(_order.c.first_answer).where(_is_it)
_START_FACT_ID = select(_order.c.start_fact_id).where(_is_it)
_LIVING = select(_order.c.order_id, _order.c.number).where(
    _order.c.order_id.in_(bindparam("of", expanding=True)) | _order.c.number.in_(bindparam("named", expanding=True)),
    _order.c.phase.notin_(sorted(ENDED)),
)
_NUMBERS = select(_order.c.order_id, _order.c.number).where(_order.c.order_id.in_(bindparam("of", expanding=True)))


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
        return _order.c.customer_id == scope.company
    if scope.sales_rep is not None:
        theirs = select(_customer.c.customer_id).where(_customer.c.sales_rep == scope.sales_rep)
        return _order.c.customer_id.in_(theirs)
    return _order.c.placed_by == (scope.placed_by or "")


def next_number(session: Session) -> str:
    """The next sales order number; the counter's row stays locked until the transaction ends, so placing queues here."""
    return sales_order_number(next_value(session, "sales_order"))


def next_value(session: Session, counter: str) -> int:
    """The next value of a counter, from 1001 on without gaps; its row stays locked until the transaction ends."""
    return int(session.execute(_NEXT_VALUE, {"name": counter}).scalar_one())


def find_request(session: Session, scope: str, key: str) -> tuple[str, str] | None:
    """(order id, sha256 of the request) that was placed under this key, for ever."""
    row = session.execute(_FIND_REQUEST, {"scope": scope, "key": key}).first()
    return (row[0], row[1]) if row else None


def find_channel_ref(session: Session, channel: str, issuer: str, channel_key: str) -> tuple[str, str, str] | None:
    """(order id, request scope, sha256) of the living order that carries a reference of a channel's issuer."""
    values = {"channel": channel, "ref_issuer": issuer, "channel_key": channel_key}
    row = session.execute(_FIND_CHANNEL_REF, values).first()
    return (row[0], row[1], row[2]) if row else None


def add(session: Session, order: Order, request: Request, start_fact_id: str) -> None:
    """Store a new order with its lines."""
    amounts = {f"{name}_minor": getattr(order.totals, name).minor for name in _AMOUNTS}
    values = {
        **{name: getattr(order, name) for name in _PLAIN},
        **amounts,
        "po_key": order.po_key,
        "channel_key": order.channel_key,
        "ref_issuer": order.ref_issuer,
        "tax_rate": str(order.tax_rate),
        "taxation": taxes.document(order),
        "ship_to": asdict(order.ship_to),
        "settlement": _settlement_values(order.settlement),
        "requested_on": order.requested_on.isoformat() if order.requested_on else "",
        "cancel_after": order.cancel_after.isoformat() if order.cancel_after else "",
        "event_count": 0,
        "request_scope": request.scope,
        "request_key": request.key,
        "request_sha256": request.sha256,
        "start_fact_id": start_fact_id,
    }
    session.execute(_ADD, values)
    rows = [_line_values(order.order_id, position, line) for position, line in enumerate(order.lines, start=1)]
    session.execute(_ADD_LINES, rows)


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
    "deposit_terms",
    "bill_to_id",
    "net_days",
    "terms",
    "calendar",
    "customer_tax_id",
    "invoicing",
    "is_ship_complete",
    "placed_at",
    "placed_by",
    "placed_by_role",
    "on_behalf_of",
    "note",
    "cleared_at",
    "accepted_at",
    "ended_at",
    "is_backorder_notified",
    "discount_minimum_minor",
    "claws_back",
)


def _settlement_values(settlement: Settlement | None) -> dict[str, Any] | None:
    if settlement is None:
        return None
    amounts = {"tax_minor": settlement.tax, "fees_minor": settlement.fees}
    known = {name: amount.minor for name, amount in amounts.items() if amount is not None}
    return {"reference": settlement.reference, **known}


def _settlement_of(kept: dict[str, Any] | None, currency: str) -> Settlement | None:
    if kept is None:
        return None
    amounts = (Money(kept[name], currency) if name in kept else None for name in ("tax_minor", "fees_minor"))
    return Settlement(kept["reference"], *amounts)


def _line_values(order_id: str, position: int, line: Line) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "position": position,
        "line_id": line.line_id,
        "sku": line.sku,
        "description": line.description,
        "kind": line.kind,
        "quantity": line.quantity,
        "cancelled": line.cancelled,
        "closed": line.closed,
        "unit_price": line.unit_price.text,
        "extended_minor": line.extended.minor,
        "reference_price": line.reference_price.text if line.reference_price else "",
        "price_source": line.price_source,
        "unit_weight_grams": line.unit_weight_grams,
        "is_known": line.is_known,
        "is_hazardous": line.is_hazardous,
        **taxes.line_values(line),
    }


def take(session: Session, order_id: str, scope: Scope = EVERYTHING) -> Order:
    """The order, taken for this transaction; NotFound when it does not exist or the scope hides it."""
    row = session.execute(_take(scope), {"of": order_id}).first()
    if row is None:
        raise _unknown()
    return _order_of(row, _lines(session, row, is_taken=True))


@lru_cache(_KEPT_SCOPES)
def _take(scope: Scope) -> Select[Any]:
    """On SQLite a transaction that writes has taken every row. On PostgreSQL rows that refer to the order may still be added."""
    return _load(scope).with_for_update(of=_order, key_share=True)


def take_many(session: Session, order_ids: Collection[str]) -> list[Order]:
    """Those orders that exist, taken in the order of their ids, so that no two transactions wait for each other."""
    rows = session.execute(_TAKE_MANY, {"of": list(order_ids)}).all()
    return [_order_of(row, _lines(session, row, is_taken=True)) for row in rows]


def load(session: Session, order_id: str, scope: Scope = EVERYTHING) -> Order:
    """The order; NotFound when it does not exist or the scope hides it."""
    row = session.execute(_load(scope), {"of": order_id}).first()
    if row is None:
        raise _unknown()
    return _order_of(row, _lines(session, row))


@lru_cache(_KEPT_SCOPES)
def _load(scope: Scope) -> Select[Any]:
    return select(_order).where(_is_it, within(scope))


def load_many(session: Session, order_ids: Sequence[str], scope: Scope = EVERYTHING) -> list[Order]:
    """The orders of these ids that exist and the scope shows, by id."""
    rows = session.execute(_load_many(scope), {"of": list(order_ids)}).all()
    by_order: dict[str, list[Any]] = {row.order_id: [] for row in rows}
    for line in session.execute(_LINES_OF_MANY, {"of": list(by_order)}):
        by_order[line.order_id].append(line)
    return [_order_of(row, _lines_of(by_order[row.order_id], row)) for row in rows]


@lru_cache(_KEPT_SCOPES)
def _load_many(scope: Scope) -> Select[Any]:
    named = _order.c.order_id.in_(bindparam("of", expanding=True))
    return select(_order).where(named, within(scope)).order_by(_order.c.order_id)


def find_id(session: Session, reference: str, scope: Scope = EVERYTHING) -> str:
    """The id of an order named by its id or its number ("SO-1001"); NotFound as in load()."""
    order_id = session.execute(_find_id(scope), {"reference": reference}).scalar()
    if order_id is None:
        raise _unknown()
    return str(order_id)


@lru_cache(_KEPT_SCOPES)
def _find_id(scope: Scope) -> Select[Any]:
    named = (_order.c.order_id == bindparam("reference")) | (_order.c.number == bindparam("reference"))
    return select(_order.c.order_id).where(named, within(scope))


def _unknown() -> NotFound:
    return NotFound("ORDER_UNKNOWN", "there is no such order: check its id or number")


def change(session: Session, order_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of an order that is taken."""
    session.execute(_CHANGE, {"of": order_id, **values})


def rewrite(session: Session, order: Order) -> None:
    """Replace what a version is of an order that is taken: its lines, amounts, address and dates."""
    amounts = {f"{name}_minor": getattr(order.totals, name).minor for name in _AMOUNTS}
    terms = {
        "version": order.version,
        "ship_to": asdict(order.ship_to),
        "requested_on": order.requested_on.isoformat() if order.requested_on else "",
        "cancel_after": order.cancel_after.isoformat() if order.cancel_after else "",
        "is_ship_complete": order.is_ship_complete,
        "taxation": taxes.document(order),
    }
    change(session, order.order_id, {**terms, **amounts})
    session.execute(_DROP_LINES, {"of": order.order_id})
    rows = [_line_values(order.order_id, position, line) for position, line in enumerate(order.lines, start=1)]
    session.execute(_ADD_LINES, rows)


def keep_answer(session: Session, order_id: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Store the first answer to the client unless one is stored; gives the stored one."""
    return dict(session.execute(_KEEP_ANSWER, {"of": order_id, "answer": dict(answer)}).scalar_one())


def first_answer(session: Session, order_id: str) -> dict[str, Any] | None:
    """What the client was told first; None when it has not been told yet."""
    kept = session.execute(_FIRST_ANSWER, {"of": order_id}).scalar()
    return dict(kept) if kept is not None else None


def start_fact_id(session: Session, order_id: str) -> str:
    """The outbox row that would start the order's workflow."""
    return str(session.execute(_START_FACT_ID, {"of": order_id}).scalar_one())


def has_ended(session: Session, order_id: str, scope: Scope) -> bool:
    """Whether nothing more can happen to an order; NotFound when it does not exist or the scope hides it."""
    query = select(col(OrderRow.phase)).where(col(OrderRow.order_id) == order_id, within(scope))
    phase = session.execute(query).scalar()
    if phase is None:
        raise _unknown()
    return phase in ENDED


def ended(session: Session, order_ids: Sequence[str]) -> list[str]:
    """Those ids whose order has ended or never existed, in the order asked."""
    alive = living(session, order_ids, [])
    return [order_id for order_id in order_ids if order_id not in alive]


def living(session: Session, order_ids: Sequence[str], numbers: Sequence[str]) -> dict[str, str]:
    """Order id → number of each order, named by either, that has not ended."""
    found = session.execute(_LIVING, {"of": list(order_ids), "named": list(numbers)})
    return {row.order_id: row.number for row in found}


def numbers(session: Session, order_ids: Collection[str]) -> dict[str, str]:
    """Order id → number, by which the workflow of an order is found."""
    return {row.order_id: row.number for row in session.execute(_NUMBERS, {"of": sorted(set(order_ids))})}


def _lines(session: Session, row: Any, *, is_taken: bool = False) -> tuple[Line, ...]:
    """The lines of the version in force; those of a version never change."""

    def load() -> tuple[Line, ...]:
        return _lines_of(session.execute(_LINES, {"of": row.order_id}), row)

    key = ("order_lines", row.order_id, row.version)
    return unchanging(session, key, load, is_small=lambda lines: len(lines) <= _KEPT_LINES, is_taken=is_taken)


def _lines_of(rows: Iterable[Any], order: Any) -> tuple[Line, ...]:
    return tuple(_line_of(row, order.currency, Decimal(order.tax_rate)) for row in rows)


def _order_of(row: Any, lines: tuple[Line, ...]) -> Order:
    currency, tax_rate = row.currency, Decimal(row.tax_rate)
    amounts = {name: Money(getattr(row, f"{name}_minor"), currency) for name in _AMOUNTS}
    return Order(
        **{name: getattr(row, name) for name in _PLAIN},
        tax_rate=tax_rate,
        taxation=taxes.taxation_of(row.taxation),
        ship_to=Address(**row.ship_to),
        settlement=_settlement_of(row.settlement, currency),
        requested_on=date.fromisoformat(row.requested_on) if row.requested_on else None,
        cancel_after=date.fromisoformat(row.cancel_after) if row.cancel_after else None,
        lines=lines,
        totals=taxes.totals_of(amounts, row.taxation, tax_rate),
    )


def _line_of(row: Any, currency: str, tax_rate: Decimal) -> Line:
    return Line(
        line_id=row.line_id,
        sku=row.sku,
        description=row.description,
        kind=row.kind,
        quantity=row.quantity,
        cancelled=row.cancelled,
        closed=row.closed,
        unit_price=UnitPrice.parse(row.unit_price, currency),
        extended=Money(row.extended_minor, currency),
        reference_price=UnitPrice.parse(row.reference_price, currency) if row.reference_price else None,
        price_source=row.price_source,
        unit_weight_grams=row.unit_weight_grams,
        is_known=row.is_known,
        is_hazardous=row.is_hazardous,
        tax_category=row.tax_category,
        tax=taxes.line_kind(row.tax_code, row.tax_rate, row.tax_reason, tax_rate),
    )
