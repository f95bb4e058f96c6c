"""The projection row: what facts came to, the promises, and the cached standing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, exists, insert, select, update
from sqlmodel import Session

from services.orders.domain.mails import Promise
from services.orders.domain.projection import Progress
from services.orders.domain.status import Axes, Standing
from services.orders.domain.waiting import WaitingFor
from services.orders.models import HoldRow, ProgressRow
from services.runtime.db import table_of

_progress, _hold = table_of(ProgressRow), table_of(HoldRow)
_has_holds = exists().where(_hold.c.order_id == _progress.c.order_id).label("has_holds")
_ADD = insert(_progress)
_LOAD = select(_progress, _has_holds).where(_progress.c.order_id == bindparam("of"))
_LOAD_MANY = select(_progress, _has_holds).where(_progress.c.order_id.in_(bindparam("of", expanding=True)))
_SAVE = update(_progress).where(_progress.c.order_id == bindparam("of"))


@dataclass(frozen=True, slots=True)
class Kept:
    """The row as values; whether the order ever had a hold, and whether a review or a change of it stands."""

    progress: Progress
    promises: tuple[Promise, ...]
    standing: Standing
    changed_at: datetime
    is_asked: bool
    has_holds: bool


def add(session: Session, order_id: str, progress: Progress, standing: Standing, now: datetime) -> None:
    """The first row of an order."""
    first = Kept(progress, (), standing, now, is_asked=False, has_holds=False)
    session.execute(_ADD, {"order_id": order_id, **_values(first)})


def load(session: Session, order_id: str) -> Kept:
    """The row of an order that exists."""
    return _kept(session.execute(_LOAD, {"of": order_id}).one())


def load_many(session: Session, order_ids: Sequence[str]) -> dict[str, Kept]:
    """Order id → its row."""
    return {row.order_id: _kept(row) for row in session.execute(_LOAD_MANY, {"of": list(order_ids)})}


def save(session: Session, rows: Mapping[str, Kept]) -> None:
    """Replace the rows of orders that are taken, by order id; whether an order ever had a hold is not theirs to say."""
    if rows:
        session.execute(_SAVE, [{"of": order_id, **_values(kept)} for order_id, kept in rows.items()])


def _values(kept: Kept) -> dict[str, Any]:
    return {
        "progress": kept.progress.document(),
        "promises": [promise.document() for promise in kept.promises],
        "is_asked": kept.is_asked,
        **_cached(kept.standing, kept.changed_at),
    }


def _cached(standing: Standing, now: datetime) -> dict[str, Any]:
    axes, waiting = standing.axes, standing.waiting_for
    return {
        "status": standing.status,
        "review": axes.review,
        "fulfilment": axes.fulfilment,
        "billing": axes.billing,
        "payment": axes.payment,
        "returns": axes.returns,
        "hold_types": wrapped(axes.holds),
        "waiting_who": waiting.who if waiting else "",
        "waiting_what": waiting.what if waiting else "",
        "waiting_since": waiting.since if waiting else None,
        "waiting_due": waiting.due.isoformat() if waiting and waiting.due else "",
        "changed_at": now,
    }


def wrapped(words: Sequence[str]) -> str:
    """The words with commas around each (",credit,price,"), so that LIKE finds one; empty for none."""
    return f",{','.join(words)}," if words else ""


def _kept(row: Any) -> Kept:
    promises = tuple(Promise(**promise) for promise in row.promises)
    return Kept(
        Progress.of(row.progress), promises, standing_of(row), row.changed_at, row.is_asked, bool(row.has_holds)
    )


def standing_of(row: Any) -> Standing:
    """The cached standing of a row with the columns of order_progress."""
    waiting = None
    if row.waiting_who and row.waiting_since is not None:
        due = _due(row.waiting_due)
        waiting = WaitingFor(row.waiting_who, row.waiting_what, row.waiting_since, due)
    holds = tuple(word for word in row.hold_types.split(",") if word)
    axes = Axes(row.review, row.fulfilment, row.billing, row.payment, holds, row.returns)
    return Standing(row.status, axes, waiting)


def _due(text: str) -> date | datetime | None:
    """A day, or an instant where hours count."""
    if not text:
        return None
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
