"""The outbox: what a service tells others is written with the change itself and sent after the commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Insert,
    MetaData,
    Select,
    Table,
    Text,
    TextClause,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlmodel import Session

from services.kernel.ids import new_id
from services.runtime.sessions import gather, wake_after_commit, write_gathered

_TABLE = "outbox"
_COUNTERS = "outbox_counters"
_COUNTED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message to be sent: `position` orders the whole outbox, `sequence` counts within one order."""

    fact_id: str
    position: int
    kind: str
    order_id: str
    subject_id: str
    sequence: int
    detail: Mapping[str, Any]
    occurred_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What a message is, for which order, and about what of it."""

    kind: str
    order_id: str
    subject_id: str


def outbox_table(metadata: MetaData) -> Table:
    """Declare the outbox and its per-order counters in a service's metadata."""
    from services.runtime.db import Int64, JsonText, UtcDateTime

    Table(
        _COUNTERS,
        metadata,
        Column("order_id", Text, primary_key=True),
        Column("sequence", Int64, nullable=False),
        sqlite_strict=True,
    )
    return Table(
        _TABLE,
        metadata,
        Column("position", Int64, primary_key=True, autoincrement=True),
        Column("fact_id", Text, nullable=False, unique=True),
        Column("kind", Text, nullable=False),
        Column("order_id", Text, nullable=False),
        Column("subject_id", Text, nullable=False),
        Column("sequence", Int64, nullable=False),
        Column("detail", JsonText, nullable=False),
        Column("occurred_at", UtcDateTime, nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", Int64, nullable=False),
        Column("retry_at", UtcDateTime, nullable=True),
        Column("last_error", Text, nullable=False),
        Index(
            "outbox_unsent",
            "position",
            sqlite_where=text("state = 'unsent'"),
            postgresql_where=text("state = 'unsent'"),
        ),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )


def emit(
    session: Session,
    *,
    kind: str,
    now: datetime,
    order_id: str = "",
    subject_id: str = "",
    detail: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    not_before: datetime | None = None,
) -> str:
    """Write a message in the caller's transaction and give its id; `not_before` lets it rest until then.

    Pass `detail` as a callable when it sums rows of the order: it is evaluated after the order's counter row is locked, so two
    transactions of one order cannot each miss what the other did.
    """
    sequence = None
    if callable(detail):
        write_gathered(session, _write)  # those before it are numbered before it
        sequence = _count(session, {order_id: 1})[order_id]
        detail = detail()
    row = _new(Notice(kind, order_id, subject_id), sequence, detail, now) | {"retry_at": not_before}
    gather(session, _write, row)
    wake_after_commit(session, kind)
    return str(row["fact_id"])


def write_gathered_messages(session: Session) -> None:
    """Write the messages that this transaction has gathered so far, for whoever changes one of them in it."""
    write_gathered(session, _write)


def emit_each(
    session: Session,
    notices: Sequence[Notice],
    details: Callable[[], Mapping[str, Mapping[str, Any]]],
    now: datetime,
) -> None:
    """Write a message for each of several orders, once an order, and read all details (order id → detail) at once.

    They are read when the counters of all these orders are locked, as emit() does it for one.
    """
    if not notices:
        return
    write_gathered(session, _write)  # those before them are numbered before them
    numbers = _count(session, Counter(notice.order_id for notice in notices))
    read = details()
    for notice in notices:
        row = _new(notice, numbers[notice.order_id], read[notice.order_id], now)
        gather(session, _write, row)
        wake_after_commit(session, notice.kind)


def _new(notice: Notice, sequence: int | None, detail: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "fact_id": new_id("fact"),
        "kind": notice.kind,
        "order_id": notice.order_id,
        "subject_id": notice.subject_id,
        "sequence": sequence,
        "detail": dict(detail),
        "occurred_at": now,
        "state": "unsent",
        "attempts": 0,
        "retry_at": None,
        "last_error": "",
    }


def write_emitted(session: Session) -> None:
    """Write what was emitted so far, not only before the commit: its orders' counters stay locked until the transaction ends."""
    write_gathered(session, _write)


def _write(session: Session, rows: list[dict[str, Any]]) -> None:
    """Number the rows within their orders and store them."""
    unnumbered = Counter(row["order_id"] for row in rows if row["sequence"] is None)
    used = {order_id: newest - unnumbered[order_id] for order_id, newest in _count(session, unnumbered).items()}
    for row in rows:
        if row["sequence"] is None:
            row["sequence"] = used[row["order_id"]] = used[row["order_id"]] + 1
    session.execute(_statements().add, rows)


def _count(session: Session, more: Mapping[str, int]) -> dict[str, int]:
    """Count so many more messages of each order; gives the number of the newest. Counters are locked in sorted order."""
    orders = sorted(more)
    counted: dict[str, int] = {}
    for at in range(0, len(orders), _COUNTED_AT_ONCE):
        some = orders[at : at + _COUNTED_AT_ONCE]
        terms: dict[str, str | int] = {f"order_{place}": order_id for place, order_id in enumerate(some)}
        terms |= {f"more_{place}": more[order_id] for place, order_id in enumerate(some)}
        counted |= {row.order_id: int(row.sequence) for row in session.execute(_counting(len(some)), terms)}
    return counted


@lru_cache(maxsize=_COUNTED_AT_ONCE)
def _counting(orders: int) -> TextClause:
    """Counts messages of so many orders by one statement, which takes them in its own order."""
    rows = ", ".join(f"(:order_{place}, :more_{place})" for place in range(orders))
    return text(
        f"INSERT INTO outbox_counters (order_id, sequence) VALUES {rows} "  # noqa: S608  # numbered parameters alone
        "ON CONFLICT (order_id) DO UPDATE SET sequence = outbox_counters.sequence + excluded.sequence "
        "RETURNING order_id, sequence"
    )


@dataclass(frozen=True, slots=True)
class _Statements:
    """Built once: putting a statement together costs several times what running it does. Any service's columns are the same."""

    table: Table
    add: Insert
    unsent: Select[Any]
    blocked: Select[Any]
    mark_sent: Update


@cache
def _statements() -> _Statements:
    table = outbox_table(MetaData())
    kinds = table.c.kind.in_(bindparam("kinds", expanding=True))
    # said in the statement itself: a plan that is made before the parameter is known cannot take the index of the unsent
    is_unsent = table.c.state == literal_column("'unsent'")
    due = table.c.retry_at.is_(None) | (table.c.retry_at <= bindparam("now"))
    sent = table.c.fact_id.in_(bindparam("fact_ids", expanding=True))
    return _Statements(
        table=table,
        add=table.insert(),
        unsent=(
            select(table)
            .where(is_unsent, due, kinds, table.c.position > bindparam("behind"))
            .order_by(table.c.position)
            .limit(bindparam("most"))
        ),
        blocked=select(table.c.order_id, table.c.kind).where(is_unsent, table.c.retry_at > bindparam("now")),
        mark_sent=update(table).where(sent).values(state="sent", retry_at=None),
    )


def unsent(session: Session, now: datetime, limit: int, kinds: frozenset[str], *, behind: int = 0) -> list[OutboxRow]:
    """Rows of these kinds still to be sent and due, oldest first: chosen by state, never by "greater than the last one sent".

    `behind` is the position of a row that the same transaction has just read.
    """
    rows = session.execute(_statements().unsent, {"now": now, "kinds": list(kinds), "most": limit, "behind": behind})
    return [_row(row) for row in rows]


def blocked_orders(session: Session, now: datetime) -> frozenset[tuple[str, str]]:
    """(order_id, kind) of rows that wait for their next try: later rows of their order must not overtake them."""
    rows = session.execute(_statements().blocked, {"now": now})
    return frozenset((row.order_id, row.kind) for row in rows)


def mark_sent(session: Session, fact_ids: list[str]) -> None:
    """Remember that these arrived."""
    session.execute(_statements().mark_sent, {"fact_ids": fact_ids})


def mark_failed(session: Session, fact_id: str, error: str, retry_at: datetime | None) -> None:
    """Count a refused try; without a retry_at the row becomes a dead letter."""
    table = _statements().table
    state = "unsent" if retry_at else "dead"
    session.execute(
        update(table)
        .where(table.c.fact_id == fact_id)
        .values(state=state, attempts=table.c.attempts + 1, retry_at=retry_at, last_error=error[:500])
    )


def revive(session: Session, fact_id: str) -> bool:
    """Put a dead letter back in line; False when there is no such dead letter."""
    table = _statements().table
    result = session.execute(
        update(table)
        .where(table.c.fact_id == fact_id, table.c.state == "dead")
        .values(state="unsent", attempts=0, retry_at=None)
        .returning(table.c.fact_id)
    )
    wake_after_commit(session)
    return result.first() is not None


def backlog(session: Session) -> tuple[int, datetime | None, int]:
    """How many rows are unsent, since when the oldest waits, and how many are dead letters."""
    table = _statements().table
    waiting = session.execute(
        select(func.count(), func.min(table.c.occurred_at)).where(table.c.state == literal_column("'unsent'"))
    ).one()
    is_dead = table.c.state == literal_column("'dead'")
    dead = session.execute(select(func.count()).select_from(table).where(is_dead)).scalar_one()
    return int(waiting[0]), waiting[1], int(dead)


def _row(row: Any) -> OutboxRow:
    return OutboxRow(
        row.fact_id,
        row.position,
        row.kind,
        row.order_id,
        row.subject_id,
        row.sequence,
        row.detail,
        row.occurred_at,
        row.attempts,
    )
