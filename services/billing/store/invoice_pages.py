"""Lists of invoices: one row a number, or an order's own, where orders are asked for; and consolidated invoices by identity or number."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, func, literal_column, select, text
from sqlmodel import Session

from services.billing.domain.consolidated import whole
from services.billing.domain.invoices import CREDITED, OPEN, PAID, PART_PAID, UNPAID, WRITTEN_OFF, Invoice
from services.billing.store import tables
from services.billing.store.invoices import OPEN_MINOR, by_ids, many, open_minor, with_lines
from services.runtime.statements import fitting

_row, _line = tables.invoice.c, tables.invoice_line.c
_other = tables.invoice.alias("other")
_NOTHING: ColumnElement[int] = literal_column("0")
_ALL = select(tables.invoice).order_by(_row.sequence, _row.share)
_IS_SHARE = text("consolidated_id <> ''")  # the words of its index
_BY_NUMBER = _ALL.where(_row.number == bindparam("number"))
_SHARES = _ALL.where(_row.consolidated_id.in_(bindparam("ids", expanding=True)), _IS_SHARE)
_LINES_OF_SHARES = (
    select(_row.consolidated_id, func.count())
    .join(tables.invoice_line, _line.invoice_id == _row.invoice_id)
    .where(_row.consolidated_id.in_(bindparam("ids", expanding=True)), _IS_SHARE)
    .group_by(_row.consolidated_id)
)
_SHARE_BITS = 40
"""A cursor is a number's sequence, and above so many bits the share of it where an order's own are listed."""

_IS_OPEN = OPEN_MINOR > _NOTHING
_IS_ALONE = _row.share == _NOTHING
_IS_FIRST = _row.share <= literal_column("1")
_IS_CREDITED = (_row.credited_minor > _NOTHING) & (_row.credited_minor == _row.total_minor)
_OF_ONE: Mapping[str, ColumnElement[bool]] = {
    OPEN: _IS_OPEN & (_row.paid_minor == _NOTHING),
    PART_PAID: _IS_OPEN & (_row.paid_minor > _NOTHING),
    UNPAID: _IS_OPEN,
    PAID: (OPEN_MINOR == _NOTHING) & (_row.written_off_minor == _NOTHING) & ~_IS_CREDITED,
    CREDITED: _IS_CREDITED,
    WRITTEN_OFF: (OPEN_MINOR == _NOTHING) & (_row.written_off_minor > _NOTHING),
}
"""The status of an invoice of one order, or of a share."""


def _some(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether some share of the row's number is so."""
    return exists().where(_other.c.sequence == _row.sequence, condition)


_others_open = open_minor(_other.c) > _NOTHING
_IS_FIRST_OPEN = ~_some((_other.c.share < _row.share) & _others_open)
_some_paid, _some_open = _some(_other.c.paid_minor > _NOTHING), _some(_others_open)
_some_written_off, _some_credited = (
    _some(_other.c.written_off_minor > _NOTHING),
    _some(_other.c.credited_minor > _NOTHING),
)
_some_left = _some(_other.c.credited_minor != _other.c.total_minor)
_OF_SHARES: Mapping[str, ColumnElement[bool]] = {
    OPEN: _IS_OPEN & _IS_FIRST_OPEN & ~_some_paid,
    PART_PAID: _IS_OPEN & _IS_FIRST_OPEN & _some_paid,
    UNPAID: _IS_OPEN & _IS_FIRST_OPEN,
    PAID: _IS_FIRST & ~_some_open & ~_some_written_off & (_some_left | ~_some_credited),
    CREDITED: _IS_FIRST & _some_credited & ~_some_left,
    WRITTEN_OFF: _IS_FIRST & ~_some_open & _some_written_off,
}
"""The status of all shares together; the first share that meets it stands for them."""
_MAY_BE_OPEN = frozenset({OPEN, PART_PAID, UNPAID})


def by_number(session: Session, number: str) -> Invoice | None:
    """An invoice by number, all orders of it."""
    found = many(session, _BY_NUMBER, {"number": number})
    return whole(found) if found else None


def consolidated(session: Session, ids: Collection[str]) -> dict[str, Invoice]:
    """Identity → consolidated invoice, of those that exist."""
    found = many(session, _SHARES, {"ids": sorted(ids)}) if ids else []
    return {key: whole(list(shares)) for key, shares in groupby(found, key=lambda one: one.consolidated_id)}


def by_any_ids(session: Session, ids: Collection[str]) -> dict[str, Invoice]:
    """Identity → invoice, share of one or consolidated invoice, of those that exist."""
    found = by_ids(session, ids)
    return found | consolidated(session, set(ids) - found.keys())


def on_paper(session: Session, invoice: Invoice) -> Invoice:
    """What its customer was sent: the consolidated invoice where it is a share of one, else itself."""
    return consolidated(session, [invoice.consolidated_id])[invoice.consolidated_id] if invoice.share else invoice


def page(
    session: Session,
    *,
    order_id: str,
    customer_id: str,
    number: str,
    status: str,
    after: int,
    limit: int,
    order_ids: tuple[str, ...] = (),
) -> tuple[list[Invoice], int | None]:
    """Invoices by number beyond the cursor `after`, and that of the next page; an empty filter does not filter.

    One of several orders is one row, unless orders are named: then each has its share.
    """
    columns = {"order_id": order_id, "customer_id": customer_id, "number": number}
    given = {name: value for name, value in columns.items() if value}
    sequence, share = after & ((1 << _SHARE_BITS) - 1), after >> _SHARE_BITS
    bounds: dict[str, Any] = {"after": sequence, "after_share": share, "most": limit + 1}
    if order_ids:
        bounds["orders"] = list(order_ids)
    rows = session.execute(_page(tuple(given), status, of_orders=bool(order_ids)), given | bounds).all()
    of_orders = bool(order_ids or order_id)
    named = [row.invoice_id if of_orders else row.consolidated_id or row.invoice_id for row in rows[:limit]]
    fits = fitting(session, _line.invoice_id, named, None if of_orders else _LINES_OF_SHARES)
    last = _cursor(rows[fits - 1], of_orders=of_orders) if len(rows) > fits else None
    return (with_lines if of_orders else _whole_rows)(session, rows[:fits]), last


def _cursor(row: Row[Any], *, of_orders: bool) -> int:
    return int(row.sequence) | (int(row.share) << _SHARE_BITS if of_orders else 0)


def _whole_rows(session: Session, rows: Sequence[Row[Any]]) -> list[Invoice]:
    """The invoices of these rows, with all shares of those that have any."""
    alone = {one.invoice_id: one for one in with_lines(session, [row for row in rows if not row.share])}
    wholes = consolidated(session, {row.consolidated_id for row in rows if row.share})
    return [wholes[row.consolidated_id] if row.share else alone[row.invoice_id] for row in rows]


@cache
def _page(given: tuple[str, ...], status: str, *, of_orders: bool) -> Select[Any]:
    """The query for these columns and this status; built once for each choice of them."""
    wanted = _ALL.where(*(_row[name] == bindparam(name) for name in given)).limit(bindparam("most"))
    if of_orders:
        wanted = wanted.where(_row.order_id.in_(bindparam("orders", expanding=True)))
    if of_orders or "order_id" in given:
        is_later = (_row.sequence == bindparam("after")) & (_row.share > bindparam("after_share"))
        wanted = wanted.where((_row.sequence > bindparam("after")) | is_later)
        return wanted.where(_OF_ONE[status]) if status else wanted
    wanted = wanted.where(_row.sequence > bindparam("after")).order_by(None).order_by(_row.sequence)
    if not status:
        return wanted.where(_IS_FIRST)
    if status in _MAY_BE_OPEN:  # said alone, for the index of what is open
        wanted = wanted.where(_IS_OPEN)
    return wanted.where((_IS_ALONE & _OF_ONE[status]) | (~_IS_ALONE & _OF_SHARES[status]))
