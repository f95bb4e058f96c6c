"""Sales whose buyers paid elsewhere, and the payouts that settle them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, insert, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Session

from services.billing.domain.invoices import BillableOrder, Settlement
from services.billing.domain.payouts import OPEN, OVERPAID, SETTLED, Payout, PayoutLine, Sale
from services.billing.store import tables
from services.kernel.money import Money
from services.kernel.text import fold_key
from services.runtime.statements import fitting

_sale, _payout, _line = tables.marketplace_sale.c, tables.payout.c, tables.payout_line.c
# the clause is PostgreSQL's and SQLite's alike
_new = upsert(tables.marketplace_sale)
_ADD = _new.on_conflict_do_update(
    index_elements=["channel", "reference_key", "currency"],
    set_={"due_minor": _sale.due_minor + _new.excluded.due_minor},
)


def _sum_of_lines(column: ColumnElement[int]) -> ColumnElement[int]:
    """What the payouts' lines of a sale come to, found by its index: most lines are of sales long settled."""
    of_sale = (
        (_line.channel == _sale.channel)
        & (_line.reference_key == _sale.reference_key)
        & (_line.currency == _sale.currency)
    )
    return (
        select(func.coalesce(func.sum(column), 0)).where(of_sale).correlate(tables.marketplace_sale).scalar_subquery()
    )


_paid, _fees = _sum_of_lines(_line.amount_minor), _sum_of_lines(_line.fees_minor)
_KEYS = (_sale.channel, _sale.reference_key, _sale.currency)
_left = _sale.due_minor - _paid - _fees
_SALES = select(tables.marketplace_sale, _paid.label("paid_minor"), _fees.label("fees_minor"))
_STATUS = {
    OPEN: _left > literal_column("0"),
    SETTLED: _left == literal_column("0"),
    OVERPAID: _left < literal_column("0"),
}
_ADD_PAYOUT = (
    upsert(tables.payout)
    .on_conflict_do_nothing(index_elements=["channel", "reference_key"])
    .returning(_payout.payout_id)
)
_ORDERS = select(_sale.reference_key, _sale.order_id).where(
    _sale.channel == bindparam("of_channel"),
    _sale.currency == bindparam("of_currency"),
    _sale.reference_key.in_(bindparam("keys", expanding=True)),
)
_BY_REFERENCE = select(tables.payout).where(
    _payout.channel == bindparam("of_channel"), _payout.reference_key == bindparam("key")
)
_LINES = (
    select(tables.payout_line)
    .where(_line.payout_id.in_(bindparam("ids", expanding=True)))
    .order_by(_line.payout_id, _line.position)
)


def add(session: Session, order: BillableOrder, settlement: Settlement, due: Money, now: datetime) -> None:
    """The order's channel owes this much more."""
    values = {
        "order_id": order.order_id,
        "order_number": order.number,
        "customer_id": order.customer_id,
        "channel": settlement.channel,
        "reference": settlement.reference,
        "reference_key": fold_key(settlement.reference),
        "currency": due.currency,
        "due_minor": due.minor,
        "announced_fees_minor": settlement.fees.minor if settlement.fees is not None else None,
        "sold_at": now,
    }
    session.execute(_ADD, values)


def page(session: Session, *, channel: str, status: str, after: tuple[str, str, str], limit: int) -> list[Sale]:
    """Sales by channel, reference key and currency beyond `after`; an empty filter does not filter."""
    beyond = _SALES.where(tuple_(*_KEYS) > after).limit(limit)
    return _narrowed(session, beyond, channel, status)


def of_references(session: Session, keys: Sequence[str], *, channel: str, status: str) -> list[Sale]:
    """Sales under these reference keys, by channel, reference key and currency; an empty filter does not filter."""
    return _narrowed(session, _SALES.where(_sale.reference_key.in_(keys)), channel, status)


def orders_of(session: Session, channel: str, currency: str, references: Sequence[str]) -> list[str]:
    """The order of each reference of a channel; empty for one of which nothing is shipped yet."""
    keys = [fold_key(reference) for reference in references]
    terms = {"of_channel": channel, "of_currency": currency, "keys": keys}
    found = {row.reference_key: str(row.order_id) for row in session.execute(_ORDERS, terms)}
    return [found.get(key, "") for key in keys]


def payout_of(session: Session, channel: str, reference: str) -> Payout:
    """A channel's payout by its reference, under which there is one."""
    rows = session.execute(_BY_REFERENCE, {"of_channel": channel, "key": fold_key(reference)}).all()
    return _payouts(session, rows)[0]


def payouts(session: Session, *, channel: str, after: str, limit: int) -> tuple[list[Payout], str]:
    """Payouts by identity beyond `after`, which is the order they were recorded in, and the cursor behind them, empty at the end.

    An empty channel is every one. As many as their lines allow, `limit` at most.
    """
    wanted = select(tables.payout).where(_payout.payout_id > after).order_by(_payout.payout_id).limit(limit + 1)
    if channel:
        wanted = wanted.where(_payout.channel == channel)
    rows = session.execute(wanted).all()
    fits = fitting(session, _line.payout_id, [row.payout_id for row in rows[:limit]])
    page = _payouts(session, rows[:fits])
    return page, page[-1].payout_id if len(rows) > fits else ""


def add_payout(session: Session, payout: Payout) -> bool:
    """Store a payout with its lines, unless there is one under its reference: one INSERT decides, which waits for another one's."""
    of = {"payout_id": payout.payout_id, "channel": payout.channel, "currency": payout.amount.currency}
    values = {
        **of,
        "reference": payout.reference,
        "reference_key": fold_key(payout.reference),
        "amount_minor": payout.amount.minor,
        "fees_minor": payout.fees.minor,
        "recorded_at": payout.recorded_at,
    }
    if session.execute(_ADD_PAYOUT, values).first() is None:
        return False
    lines = [
        {
            **of,
            "position": position,
            "reference": line.reference,
            "reference_key": fold_key(line.reference),
            "amount_minor": line.amount.minor,
            "fees_minor": line.fees.minor,
        }
        for position, line in enumerate(payout.lines, start=1)
    ]
    session.execute(insert(tables.payout_line), lines)
    return True


def _payouts(session: Session, rows: Sequence[Row[Any]]) -> list[Payout]:
    if not rows:
        return []
    lines: dict[str, list[PayoutLine]] = {}
    for row in session.execute(_LINES, {"ids": [row.payout_id for row in rows]}):
        line = PayoutLine(row.reference, Money(row.amount_minor, row.currency), Money(row.fees_minor, row.currency))
        lines.setdefault(row.payout_id, []).append(line)
    return [
        Payout(
            row.payout_id,
            row.channel,
            row.reference,
            Money(row.amount_minor, row.currency),
            Money(row.fees_minor, row.currency),
            tuple(lines.get(row.payout_id, ())),
            row.recorded_at,
        )
        for row in rows
    ]


def _narrowed(session: Session, wanted: Select[Any], channel: str, status: str) -> list[Sale]:
    if channel:
        wanted = wanted.where(_sale.channel == channel)
    if status:
        wanted = wanted.where(_STATUS[status])
    return [_sale_of(row) for row in session.execute(wanted.order_by(*_KEYS))]


def _sale_of(row: Row[Any]) -> Sale:
    def money(minor: int) -> Money:
        return Money(int(minor), row.currency)

    announced = row.announced_fees_minor
    return Sale(
        row.order_id,
        row.order_number,
        row.customer_id,
        row.channel,
        row.reference,
        money(row.due_minor),
        money(row.paid_minor),
        money(row.fees_minor),
        money(announced) if announced is not None else None,
        row.sold_at,
    )
