"""What cards are authorized for, and the inbox of the provider's events."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlmodel import Session

from services.billing.domain.cards import Authorization
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import Flag, Int64
from services.runtime.statements import changed, inserted

_row, _event = tables.card_authorization.c, tables.provider_event.c
_ALL = select(tables.card_authorization).order_by(_row.authorized_at, _row.authorization_id)
_BY_ID = _ALL.where(_row.authorization_id == bindparam("id"))
_OF_ORDER = _ALL.where(_row.order_id == bindparam("order"))
_OF_PROVIDER = _ALL.where(_row.provider_id == bindparam("provider"))
_ADD = insert(tables.card_authorization)
_IS_ONE = _row.authorization_id == bindparam("id")
_AMOUNT = bindparam("amount", type_=Int64)
_TAKE = (
    update(tables.card_authorization)
    .where(_IS_ONE, _row.is_open, _row.amount_minor - _row.taken_minor >= _AMOUNT)
    .values(taken_minor=_row.taken_minor + _AMOUNT)
)
_GIVE_BACK = update(tables.card_authorization).where(_IS_ONE).values(taken_minor=_row.taken_minor - _AMOUNT)
_CAPTURE = (
    update(tables.card_authorization)
    .where(_IS_ONE)
    .values(captured_minor=_row.captured_minor + _AMOUNT, fee_minor=_row.fee_minor + bindparam("fee", type_=Int64))
)
_CLOSE = update(tables.card_authorization).where(_IS_ONE).values(is_open=bindparam("open_now", type_=Flag()))
_CLOSE_UNLESS_TAKEN = (
    update(tables.card_authorization)
    .where(_IS_ONE, _row.is_open, _row.taken_minor == _row.captured_minor)
    .values(is_open=bindparam("open_now", type_=Flag()))
)
_DISPUTE = (
    update(tables.card_authorization)
    .where(_IS_ONE, ~_row.is_disputed)
    .values(is_disputed=bindparam("disputed", type_=Flag()))
)
_NOTED = {"captured": _row.notified_captured_minor, "refunded": _row.notified_refunded_minor}
_NOTIFY = {
    what: update(tables.card_authorization).where(_IS_ONE, noted < _AMOUNT).values({noted: _AMOUNT})
    for what, noted in _NOTED.items()
}
_NOTE_LESS = {
    what: update(tables.card_authorization).where(_IS_ONE, noted > _AMOUNT).values({noted: _AMOUNT})
    for what, noted in _NOTED.items()
}
_NEW_EVENTS = (
    select(_event.event_id, _event.provider_id)
    .where(~_event.is_done)
    .order_by(_event.received_at, _event.event_id)
    .limit(bindparam("most"))
)
_DONE = (
    update(tables.provider_event)
    .where(_event.event_id == bindparam("id"), ~_event.is_done)
    .values(is_done=bindparam("done", type_=Flag()))
)


def add(session: Session, authorization: Authorization) -> None:
    """Keep a new authorization."""
    session.execute(
        _ADD,
        {
            "authorization_id": authorization.authorization_id,
            "order_id": authorization.order_id,
            "provider_id": authorization.provider_id,
            "currency": authorization.amount.currency,
            "amount_minor": authorization.amount.minor,
            "taken_minor": authorization.taken.minor,
            "captured_minor": authorization.captured.minor,
            "fee_minor": authorization.fee_minor,
            "is_open": authorization.is_open,
            "is_disputed": authorization.is_disputed,
            "authorized_at": authorization.authorized_at,
        },
    )


def by_id(session: Session, authorization_id: str) -> Authorization | None:
    """An authorization by its id."""
    return _one(session.execute(_BY_ID, {"id": authorization_id}).one_or_none())


def of_provider(session: Session, provider_id: str) -> Authorization | None:
    """The authorization that the provider calls so."""
    return _one(session.execute(_OF_PROVIDER, {"provider": provider_id}).one_or_none())


def of_order(session: Session, order_id: str) -> list[Authorization]:
    """All authorizations of an order, oldest first."""
    return [_authorization(row) for row in session.execute(_OF_ORDER, {"order": order_id}).all()]


def take(session: Session, authorization_id: str, amount: Money) -> bool:
    """Take an amount for a capture, unless there is not as much: one conditional UPDATE decides."""
    return changed(session, _TAKE, {"id": authorization_id, "amount": amount.minor}) == 1


def give_back(session: Session, authorization_id: str, amount: Money) -> None:
    """A capture came to nothing."""
    session.execute(_GIVE_BACK, {"id": authorization_id, "amount": amount.minor})


def capture(session: Session, authorization_id: str, amount: Money, fee_minor: int) -> None:
    """What was taken is captured; the provider keeps the fee."""
    session.execute(_CAPTURE, {"id": authorization_id, "amount": amount.minor, "fee": fee_minor})


def close(session: Session, authorization_id: str) -> None:
    """Nothing more can be captured."""
    session.execute(_CLOSE, {"id": authorization_id, "open_now": False})


def close_unless_taken(session: Session, authorization_id: str) -> bool:
    """Close it unless it is, or a capture that takes from it has no answer: one conditional UPDATE decides."""
    return changed(session, _CLOSE_UNLESS_TAKEN, {"id": authorization_id, "open_now": False}) == 1


def dispute(session: Session, authorization_id: str) -> bool:
    """The cardholder's bank took the money back; whether that is new."""
    return changed(session, _DISPUTE, {"id": authorization_id, "disputed": True}) == 1


def notify_moved(session: Session, authorization_id: str, what: str, more: Money) -> bool:
    """Accounting is notified of how much more was captured or refunded at the provider than here; whether that is news."""
    return changed(session, _NOTIFY[what], {"id": authorization_id, "amount": more.minor}) == 1


def note_less_moved(session: Session, authorization_id: str, what: str, more: Money) -> None:
    """Of what accounting was notified of, no more than this still differs: whatever moves at the provider from here on is news."""
    session.execute(_NOTE_LESS[what], {"id": authorization_id, "amount": more.minor})


def add_event(session: Session, event_id: str, kind: str, provider_id: str, now: datetime) -> bool:
    """Keep an event; whether it is new."""
    return inserted(
        session,
        tables.provider_event,
        event_id=event_id,
        kind=kind,
        provider_id=provider_id,
        is_done=False,
        received_at=now,
    )


def new_events(session: Session, most: int) -> list[tuple[str, str]]:
    """Events that nobody has acted on, oldest first: id and the provider's id of what they are about."""
    return [(str(key), str(provider_id)) for key, provider_id in session.execute(_NEW_EVENTS, {"most": most})]


def finish_event(session: Session, event_id: str) -> bool:
    """The event is acted on; whether nobody else has."""
    return changed(session, _DONE, {"id": event_id, "done": True}) == 1


def _one(row: Row[Any] | None) -> Authorization | None:
    return None if row is None else _authorization(row)


def _authorization(row: Row[Any]) -> Authorization:
    return Authorization(
        row.authorization_id,
        row.order_id,
        row.provider_id,
        Money(row.amount_minor, row.currency),
        Money(row.taken_minor, row.currency),
        Money(row.captured_minor, row.currency),
        row.fee_minor,
        row.is_open,
        row.is_disputed,
        row.authorized_at,
    )
