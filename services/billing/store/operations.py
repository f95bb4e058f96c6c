"""Operations that a payment provider is asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, literal_column, select, update
from sqlmodel import Session

from services.billing.domain.cards import ASKED, FAILED, REFUND, SUCCEEDED, Operation
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import Flag, Int64, UtcDateTime
from services.runtime.statements import changed

_row = tables.provider_operation.c
_ASKED = _row.state == literal_column(f"'{ASKED}'")
_ALL = select(tables.provider_operation).order_by(_row.asked_at, _row.operation_id)
_BY_ID = _ALL.where(_row.operation_id == bindparam("id"))
_OF_ORDER = _ALL.where(_row.order_id == bindparam("order"))
_OF_SUBJECT = _ALL.where(_row.subject_id == bindparam("subject"), _row.kind == bindparam("of_kind"))
_DUE = (
    select(_row.operation_id)
    .where(_ASKED, _row.next_at <= bindparam("now", type_=UtcDateTime()))
    .order_by(_row.next_at, _row.operation_id)
    .limit(bindparam("most"))
)
_COUNT = select(func.count()).where(_row.order_id == bindparam("order"), _row.kind == bindparam("of_kind"))
_ADD = insert(tables.provider_operation)
_IS_ASKED = (_row.operation_id == bindparam("id")) & _ASKED
_TRY = (
    update(tables.provider_operation)
    .where(_IS_ASKED)
    .values(attempts=_row.attempts + 1, next_at=bindparam("again", type_=UtcDateTime()))
)
_ASSIGN = (
    update(tables.provider_operation)
    .where(_IS_ASKED, _row.authorization_id == "")
    .values(authorization_id=bindparam("authorization"), is_final=bindparam("final", type_=Flag()))
)
_ABANDON = (
    update(tables.provider_operation)
    .where(_row.order_id == bindparam("order"), _ASKED, _row.kind == "authorize")
    .values(is_abandoned=bindparam("abandoned", type_=Flag()))
)
_HURRY = (
    update(tables.provider_operation)
    .where(_row.order_id == bindparam("order"), _ASKED, _row.attempts > literal_column("0"))
    .values(next_at=bindparam("now", type_=UtcDateTime()))
)
_HURRY_ONE = update(tables.provider_operation).where(_IS_ASKED).values(next_at=bindparam("now", type_=UtcDateTime()))
_ANSWER = (
    update(tables.provider_operation)
    .where(_IS_ASKED)
    .values(
        state=bindparam("to"),
        provider_id=bindparam("provider"),
        reason=bindparam("why"),
        answered_at=bindparam("at", type_=UtcDateTime()),
        token="",
    )
)
_FAIL_WITHOUT_CARD = (
    update(tables.provider_operation)
    .where(_IS_ASKED, _row.authorization_id == "")
    .values(state=FAILED, reason=bindparam("why"), answered_at=bindparam("at", type_=UtcDateTime()), token="")
)
_REDUCE = (
    update(tables.provider_operation)
    .where(_IS_ASKED, _row.authorization_id == "")
    .values(amount_minor=bindparam("amount", type_=Int64))
)
_FAIL_REFUND = (
    update(tables.provider_operation)
    .where(_row.operation_id == bindparam("id"), _row.kind == REFUND, _row.state == SUCCEEDED)
    .values(state=FAILED, reason=bindparam("why"), answered_at=bindparam("at", type_=UtcDateTime()))
)


def add(session: Session, operation: Operation, first_at: datetime | None = None) -> None:
    """Write an operation down before the provider is asked: at once, or from `first_at` on."""
    session.execute(
        _ADD,
        {
            "operation_id": operation.operation_id,
            "kind": operation.kind,
            "order_id": operation.order_id,
            "customer_id": operation.customer_id,
            "currency": operation.amount.currency,
            "amount_minor": operation.amount.minor,
            "state": operation.state,
            "authorization_id": operation.authorization_id,
            "subject_id": operation.subject_id,
            "token": operation.token,
            "token_digest": operation.token_digest,
            "provider_id": operation.provider_id,
            "reason": operation.reason,
            "attempts": 0,
            "is_final": operation.is_final,
            "is_abandoned": False,
            "asked_at": operation.asked_at,
            "next_at": first_at or operation.asked_at,
            "answered_at": None,
        },
    )


def by_id(session: Session, operation_id: str) -> Operation | None:
    """An operation by its id."""
    row = session.execute(_BY_ID, {"id": operation_id}).one_or_none()
    return None if row is None else _operation(row)


def of_order(session: Session, order_id: str) -> list[Operation]:
    """All operations of an order, oldest first."""
    return [_operation(row) for row in session.execute(_OF_ORDER, {"order": order_id}).all()]


def of_subject(session: Session, subject_id: str, kind: str) -> list[Operation]:
    """Operations of a kind on an invoice or a payment, oldest first."""
    return [_operation(row) for row in session.execute(_OF_SUBJECT, {"subject": subject_id, "of_kind": kind}).all()]


def count(session: Session, order_id: str, kind: str) -> int:
    """How many operations of a kind an order has."""
    return int(session.execute(_COUNT, {"order": order_id, "of_kind": kind}).scalar_one())


def due(session: Session, now: datetime, most: int) -> Sequence[str]:
    """Ids of operations that are to be asked now."""
    return [str(one) for one in session.execute(_DUE, {"now": now, "most": most}).scalars()]


def note_try(session: Session, operation_id: str, again: datetime) -> bool:
    """Count a try and say when the next one may come; whether it is still to be asked."""
    return changed(session, _TRY, {"id": operation_id, "again": again}) == 1


def assign(session: Session, operation_id: str, authorization_id: str, *, is_final: bool) -> bool:
    """Say from which authorization a capture takes; once."""
    return changed(session, _ASSIGN, {"id": operation_id, "authorization": authorization_id, "final": is_final}) == 1


def abandon(session: Session, order_id: str) -> None:
    """Let go whatever an order's authorizations without an answer will come to."""
    session.execute(_ABANDON, {"order": order_id, "abandoned": True})


def hurry_one(session: Session, operation_id: str, now: datetime) -> None:
    """Ask one at once that is without an answer."""
    session.execute(_HURRY_ONE, {"id": operation_id, "now": now})


def hurry(session: Session, order_id: str, now: datetime) -> None:
    """Ask all of an order that are without an answer at once; what waits for its first try does so on."""
    session.execute(_HURRY, {"order": order_id, "now": now})


def answer(session: Session, operation_id: str, state: str, provider_id: str, reason: str, now: datetime) -> bool:
    """Record what became of it, unless that is recorded: one conditional UPDATE decides."""
    terms = {"id": operation_id, "to": state, "provider": provider_id, "why": reason, "at": now}
    return changed(session, _ANSWER, terms) == 1


def fail_without_card(session: Session, operation_id: str, reason: str, now: datetime) -> bool:
    """Record that a capture failed for want of a card, unless it has an authorization or an answer: one conditional UPDATE decides."""
    return changed(session, _FAIL_WITHOUT_CARD, {"id": operation_id, "why": reason, "at": now}) == 1


def reduce(session: Session, operation_id: str, amount: Money) -> None:
    """A capture is of this much, unless it has an authorization or an answer."""
    session.execute(_REDUCE, {"id": operation_id, "amount": amount.minor})


def fail_refund(session: Session, operation_id: str, reason: str, now: datetime) -> bool:
    """Record that a refund which had succeeded came back, unless that is recorded: one conditional UPDATE decides."""
    return changed(session, _FAIL_REFUND, {"id": operation_id, "why": reason, "at": now}) == 1


def _operation(row: Row[Any]) -> Operation:
    return Operation(
        row.operation_id,
        row.kind,
        row.order_id,
        row.customer_id,
        Money(row.amount_minor, row.currency),
        row.state,
        row.asked_at,
        row.authorization_id,
        row.subject_id,
        row.token,
        row.token_digest,
        row.provider_id,
        row.reason,
        row.attempts,
        row.is_final,
        row.is_abandoned,
    )
