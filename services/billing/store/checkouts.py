"""Pages of the payment provider on which a person enters a card."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, literal_column, select, update
from sqlmodel import Session

from services.billing.domain.checkouts import ASKED, COMPLETE, EXPIRED, OPEN, PAYMENT, Checkout
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import UtcDateTime
from services.runtime.statements import changed

_row = tables.checkout.c
_ONE = select(tables.checkout)
_BY_ID = _ONE.where(_row.checkout_id == bindparam("id"))
_OF_PROVIDER = _ONE.where(_row.provider_id == bindparam("provider"), _row.provider_id != literal_column("''"))
_LATEST = (
    _ONE.where(_row.order_id == bindparam("order"), _row.invoice_id == bindparam("invoice"))
    .order_by(_row.asked_at.desc(), _row.checkout_id.desc())
    .limit(1)
)
_OPEN_ONES = _ONE.where(
    _row.order_id == bindparam("order"),
    _row.invoice_id == bindparam("invoice"),
    _row.state == literal_column(f"'{OPEN}'"),
).order_by(_row.asked_at, _row.checkout_id)
_IS_TO_BE_READ = (_row.state == literal_column(f"'{OPEN}'")) & (_row.kind == literal_column(f"'{PAYMENT}'"))
_DUE = (
    select(_row.checkout_id)
    .where(_IS_TO_BE_READ, _row.next_at <= bindparam("now", type_=UtcDateTime()))
    .order_by(_row.next_at, _row.checkout_id)
    .limit(bindparam("most"))
)
_HURRY = (
    update(tables.checkout)
    .where(_row.order_id == bindparam("order"), _IS_TO_BE_READ)
    .values(next_at=bindparam("now", type_=UtcDateTime()))
)
_ADD = insert(tables.checkout)
_IS_ONE = _row.checkout_id == bindparam("id")
_OPENED = (
    update(tables.checkout)
    .where(_IS_ONE, _row.state == ASKED)
    .values(state=OPEN, provider_id=bindparam("provider"), url=bindparam("address"))
)
_COMPLETE = (
    update(tables.checkout)
    .where(_IS_ONE, _row.state != COMPLETE)
    .values(state=COMPLETE, url="", token_digest=bindparam("digest"))
)
_REFUSE = update(tables.checkout).where(_IS_ONE, _row.state == ASKED).values(state=EXPIRED)
_SUPERSEDE = (
    update(tables.checkout)
    .where(_row.order_id == bindparam("order"), _row.invoice_id == bindparam("invoice"), _row.state == ASKED)
    .values(state=EXPIRED)
)
_EXPIRE = update(tables.checkout).where(_IS_ONE, _row.state.in_((ASKED, OPEN))).values(state=EXPIRED, url="")
_NOTE_READ = (
    update(tables.checkout)
    .where(_IS_ONE)
    .values(attempts=_row.attempts + 1, next_at=bindparam("again", type_=UtcDateTime()))
)


def add(session: Session, checkout: Checkout, read_at: datetime) -> None:
    """Write a page down before the provider is asked for it."""
    session.execute(
        _ADD,
        {
            "checkout_id": checkout.checkout_id,
            "kind": checkout.kind,
            "order_id": checkout.order_id,
            "invoice_id": checkout.invoice_id,
            "customer_id": checkout.customer_id,
            "currency": checkout.amount.currency,
            "amount_minor": checkout.amount.minor,
            "state": checkout.state,
            "provider_id": "",
            "url": "",
            "token_digest": "",
            "attempts": 0,
            "asked_at": checkout.asked_at,
            "next_at": read_at,
        },
    )


def by_id(session: Session, checkout_id: str) -> Checkout | None:
    """A page by its id."""
    return _one(session.execute(_BY_ID, {"id": checkout_id}).one_or_none())


def of_provider(session: Session, provider_id: str) -> Checkout | None:
    """The page that the provider calls so."""
    return _one(session.execute(_OF_PROVIDER, {"provider": provider_id}).one_or_none())


def latest(session: Session, order_id: str, invoice_id: str = "") -> Checkout | None:
    """The newest page for an order's card, or for an invoice of it."""
    return _one(session.execute(_LATEST, {"order": order_id, "invoice": invoice_id}).one_or_none())


def open_ones(session: Session, order_id: str, invoice_id: str = "") -> list[Checkout]:
    """The pages of an order's card, or of an invoice of it, that are open; oldest first."""
    return [_checkout(row) for row in session.execute(_OPEN_ONES, {"order": order_id, "invoice": invoice_id}).all()]


def due(session: Session, now: datetime, most: int) -> Sequence[str]:
    """Ids of open pages that take a payment and are to be read now."""
    return [str(one) for one in session.execute(_DUE, {"now": now, "most": most}).scalars()]


def hurry(session: Session, order_id: str, now: datetime) -> None:
    """Read all open pages at once on which invoices of an order are paid."""
    session.execute(_HURRY, {"order": order_id, "now": now})


def opened(session: Session, checkout_id: str, provider_id: str, url: str) -> bool:
    """The provider shows it; whether nobody has recorded what became of it."""
    return changed(session, _OPENED, {"id": checkout_id, "provider": provider_id, "address": url}) == 1


def complete(session: Session, checkout_id: str, token_digest: str) -> bool:
    """A card was entered, or the payment made, unless that is recorded: one conditional UPDATE decides.

    What was paid counts even on a page that nobody was to be shown any more.
    """
    return changed(session, _COMPLETE, {"id": checkout_id, "digest": token_digest}) == 1


def refuse(session: Session, checkout_id: str) -> None:
    """The provider shows no such page, unless it was shown to somebody who asked at the same time."""
    session.execute(_REFUSE, {"id": checkout_id})


def supersede(session: Session, order_id: str, invoice_id: str = "") -> None:
    """The pages of a subject that nobody has been shown yet are not shown any more."""
    session.execute(_SUPERSEDE, {"order": order_id, "invoice": invoice_id})


def expire(session: Session, checkout_id: str) -> bool:
    """It has ended with nothing, unless what became of it is recorded."""
    return changed(session, _EXPIRE, {"id": checkout_id}) == 1


def note_read(session: Session, checkout_id: str, again: datetime) -> None:
    """Count a reading, and say when the next one may come."""
    session.execute(_NOTE_READ, {"id": checkout_id, "again": again})


def _one(row: Row[Any] | None) -> Checkout | None:
    return None if row is None else _checkout(row)


def _checkout(row: Row[Any]) -> Checkout:
    return Checkout(
        row.checkout_id,
        row.kind,
        row.order_id,
        row.customer_id,
        Money(row.amount_minor, row.currency),
        row.state,
        row.asked_at,
        row.invoice_id,
        row.provider_id,
        row.url,
        row.token_digest,
        row.attempts,
    )
