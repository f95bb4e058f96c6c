"""The overview of all channels: filters, allow-listed sorting, keyset pages, and scope in every query."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlmodel import Session, col

from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.text import fold_key
from services.orders.domain.access import Scope
from services.orders.domain.overview import ANY_HOLD, OverviewFilter, OverviewPage, OverviewRow
from services.orders.models import CustomerRow, FeedbackRow, LineRow, OrderRow, ProductRow, ProgressRow
from services.orders.store.orders import within
from services.orders.store.progress import standing_of
from services.runtime.db import table_of

MAX_LIMIT = 200
_order, _progress, _line = table_of(OrderRow).c, table_of(ProgressRow).c, table_of(LineRow).c
_feedback = table_of(FeedbackRow).c
_SORTS: dict[str, ColumnElement[Any]] = {
    "placed_at": _order.placed_at,
    "changed_at": _progress.changed_at,
    "waiting_since": _progress.waiting_since,
    "total": _order.total_minor,
    "customer": _order.customer_name,
    "status": _progress.status,
}
_SAME = (
    "order_id", "number", "version", "phase", "channel", "channel_ref", "customer_id", "customer_name", "po_number",
    "placed_at",
)  # fmt: skip
"""What a row of the list has as the order has it."""
_AXES = (
    "status", "review", "fulfilment", "billing", "payment", "returns", "hold_types",
    "waiting_who", "waiting_what", "waiting_since", "waiting_due",
)  # fmt: skip
_SHOWN = (
    *(_order[name] for name in (*_SAME, "total_minor", "currency")),
    *(_progress[name] for name in (*_AXES, "changed_at")),
)
"""What a row of the list needs, and no more: it is read for every order of a page."""
_BOTH = table_of(OrderRow).join(table_of(ProgressRow), _progress.order_id == _order.order_id)
_ALL, _COUNT = select(*_SHOWN).select_from(_BOTH), select(_progress.status, func.count()).select_from(_BOTH)
SORTS = tuple(sorted((*_SORTS, *(f"-{name}" for name in _SORTS))))
"""What a list may be sorted by; a leading "-" turns it round."""
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_INSTANTS = frozenset({"placed_at", "changed_at", "waiting_since"})


def overview(
    session: Session,
    scope: Scope,
    wanted: OverviewFilter,
    *,
    sort: str = "-placed_at",
    limit: int = 50,
    cursor: str = "",
) -> OverviewPage:
    """A page of orders. SORT_UNKNOWN and CURSOR_INVALID are InvalidArgument; `placed_to` is exclusive."""
    if sort not in SORTS:
        raise InvalidArgument("SORT_UNKNOWN", f"sort by one of {', '.join(SORTS)}")
    name, is_falling = sort.removeprefix("-"), sort.startswith("-")
    key, identity = _key(name, is_falling=is_falling), _order.order_id
    query = _filtered(_ALL.add_columns(key.label("key")).where(within(scope)), wanted)
    if cursor:
        value, order_id = _read_cursor(cursor, sort)
        query = query.where(_behind(key, identity, value, order_id, is_falling=is_falling))
    order = (key.desc(), identity.desc()) if is_falling else (key.asc(), identity.asc())
    size = max(1, min(limit, MAX_LIMIT))
    found = session.execute(query.order_by(*order).limit(size + 1)).all()
    rows = tuple(_row(row) for row in found[:size])
    has_more = len(found) > size
    return OverviewPage(rows, _cursor(found[size - 1].key, rows[-1].order_id, sort) if has_more else "")


def _key(name: str, *, is_falling: bool) -> ColumnElement[Any]:
    """What to sort by; an order that waits for nobody comes last, whichever way it is turned."""
    if name != "waiting_since":
        return _SORTS[name]
    return func.coalesce(_SORTS[name], literal(_FIRST if is_falling else _LAST, _SORTS[name].type))


def _behind(key: Any, identity: Any, value: Any, order_id: str, *, is_falling: bool) -> ColumnElement[bool]:
    if is_falling:
        return or_(key < value, and_(key == value, identity < order_id))
    return or_(key > value, and_(key == value, identity > order_id))


def _filtered(query: Select[Any], wanted: OverviewFilter) -> Select[Any]:
    equal = (
        (_progress.status, wanted.status),
        (_order.phase, wanted.phase),
        (_order.channel, wanted.channel),
        (_order.customer_id, wanted.customer_id),
    )
    for column, value in equal:
        if value:
            query = query.where(column == value)
    if wanted.hold == ANY_HOLD:
        query = query.where(_progress.hold_types != "")
    elif wanted.hold:
        query = query.where(_contains(_progress.hold_types, f",{wanted.hold},"))
    if wanted.needs:
        query = query.where(_contains(", " + _progress.waiting_who + ",", f" {wanted.needs},"))
    if wanted.placed_from is not None:
        query = query.where(_order.placed_at >= wanted.placed_from)
    if wanted.placed_to is not None:
        query = query.where(_order.placed_at < wanted.placed_to)
    if wanted.due_before is not None:
        due = _progress.waiting_due
        query = query.where(due != "", due < wanted.due_before.isoformat())
    if wanted.q:
        columns = (_order.number, _order.po_number, _order.channel_ref, _order.customer_name)
        key = fold_key(wanted.q)
        named = select(col(ProductRow.sku)).where(col(ProductRow.sku_key) == key)
        carrying = select(_line.order_id).where(or_(_line.sku == wanted.q, _line.sku.in_(named)))
        found = [_contains(func.lower(column), wanted.q.lower()) for column in columns]
        found += [_contains(column, key) for column in (_order.po_key, _order.channel_key) if key]
        if key:  # SQLite lowers ASCII alone
            called = select(col(CustomerRow.customer_id)).where(_contains(col(CustomerRow.name_key), key))
            found.append(_order.customer_id.in_(called))
        complained = select(_feedback.order_id).where(_feedback.case_number == wanted.q.upper())
        query = query.where(or_(*found, _order.order_id.in_(carrying), _order.order_id.in_(complained)))
    return query


def _contains(column: Any, part: str) -> ColumnElement[bool]:
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found: ColumnElement[bool] = column.like(f"%{escaped}%", escape="\\")
    return found


def _cursor(value: Any, order_id: str, sort: str) -> str:
    kept = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([sort, kept, order_id]).encode()).decode()


def _read_cursor(cursor: str, sort: str) -> tuple[Any, str]:
    """The value and id that the last page ended with; a cursor of another list is refused."""
    try:
        kept_sort, value, order_id = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if kept_sort != sort or not isinstance(order_id, str):
            raise ValueError(sort)
        name = sort.removeprefix("-")
        if name in _INSTANTS:
            return _aware(datetime.fromisoformat(value)), order_id
        if not isinstance(value, int if name == "total" else str) or isinstance(value, bool):
            raise TypeError(name)
    except (ValueError, TypeError, binascii.Error) as unreadable:
        sentence = "the cursor is not one of this list: begin again without it"
        raise InvalidArgument("CURSOR_INVALID", sentence) from unreadable
    return value, order_id


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("naive")
    return instant


def _row(row: Any) -> OverviewRow:
    return OverviewRow(
        **{name: getattr(row, name) for name in _SAME},
        changed_at=row.changed_at,
        total=Money(row.total_minor, row.currency),
        standing=standing_of(row),
    )


def count_by_status(session: Session, scope: Scope) -> dict[str, int]:
    """Status word → how many orders the scope shows in it."""
    rows = session.execute(_COUNT.where(within(scope)).group_by(_progress.status))
    return {str(status): int(count) for status, count in rows}
