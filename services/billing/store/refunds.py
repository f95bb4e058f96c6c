"""Refunds that are owed to cards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, literal_column, select, update
from sqlmodel import Session

from services.billing.domain.refunds import OPEN, PAID, OwedRefund
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import Flag, UtcDateTime
from services.runtime.statements import changed

_row = tables.owed_refund.c
_PLAIN = (
    "refund_id",
    "order_id",
    "customer_id",
    "payment_id",
    "state",
    "operation_id",
    "owed_at",
    "asked_count",
    "failed_count",
    "reason",
    "is_escalated",
    "proposed_by",
    "reference",
    "settled_at",
    "settled_by",
)
_ALL = select(tables.owed_refund)
_BY_ID = _ALL.where(_row.refund_id == bindparam("id"))
_OF_OPERATION = _ALL.where(_row.operation_id == bindparam("operation"))
_IS_OPEN = _row.state == literal_column(f"'{OPEN}'")
_PAGE = _ALL.where(_row.refund_id > bindparam("behind")).order_by(_row.refund_id).limit(bindparam("most"))
_ADD = insert(tables.owed_refund)
_IS_ONE = (_row.refund_id == bindparam("id")) & (_row.operation_id == bindparam("operation"))
_SETTLE = (
    update(tables.owed_refund)
    .where(_IS_ONE, _IS_OPEN)
    .values(
        state=bindparam("to"),
        settled_at=bindparam("at", type_=UtcDateTime()),
        settled_by=bindparam("by"),
        reference=bindparam("under"),
        reason="",
    )
)
_FAIL = (
    update(tables.owed_refund)
    .where(_IS_ONE, _row.state.in_((OPEN, PAID)))
    .values(
        state=OPEN, settled_at=None, settled_by="", failed_count=_row.failed_count + literal_column("1"), reason=bindparam("why")
    )
)  # fmt: skip
_ASK_AGAIN = (
    update(tables.owed_refund)
    .where(_IS_ONE, _IS_OPEN)
    .values(
        operation_id=bindparam("next"), asked_count=_row.asked_count + literal_column("1"), proposed_by="", reference=""
    )
)  # fmt: skip
_ESCALATE = (
    update(tables.owed_refund)
    .where(_IS_ONE, _IS_OPEN, _row.is_escalated == bindparam("not_yet", type_=Flag()))
    .values(is_escalated=bindparam("now", type_=Flag()))
)
_PROPOSE = (
    update(tables.owed_refund)
    .where(_IS_ONE, _IS_OPEN, _row.proposed_by == literal_column("''"))
    .values(proposed_by=bindparam("by"), reference=bindparam("under"))
)


def add(session: Session, owed: OwedRefund) -> None:
    """Keep what is owed."""
    values = {name: getattr(owed, name) for name in _PLAIN}
    session.execute(_ADD, values | {"currency": owed.amount.currency, "amount_minor": owed.amount.minor})


def by_id(session: Session, refund_id: str) -> OwedRefund | None:
    """A refund by its id."""
    row = session.execute(_BY_ID, {"id": refund_id}).one_or_none()
    return None if row is None else _refund(row)


def of_operation(session: Session, operation_id: str) -> OwedRefund | None:
    """What an operation is the newest try of; None for a refund that accounting asked for."""
    row = session.execute(_OF_OPERATION, {"operation": operation_id}).one_or_none()
    return None if row is None else _refund(row)


def page(session: Session, *, state: str, order_id: str, after: str, limit: int) -> Sequence[OwedRefund]:
    """Refunds behind an id, oldest first; a filter that is empty filters nothing."""
    query = _PAGE
    if state:
        query = query.where(_row.state == literal_column(f"'{OPEN}'") if state == OPEN else _row.state == state)
    if order_id:
        query = query.where(_row.order_id == order_id)
    return [_refund(row) for row in session.execute(query, {"behind": after, "most": limit})]


def settle(session: Session, owed: OwedRefund, state: str, *, by: str, reference: str, now: datetime) -> bool:
    """Say that it is paid, unless that is recorded, or another try has begun: one conditional UPDATE decides."""
    terms = {"id": owed.refund_id, "operation": owed.operation_id, "to": state, "at": now, "by": by, "under": reference}
    return changed(session, _SETTLE, terms) == 1


def fail(session: Session, owed: OwedRefund, reason: str) -> bool:
    """Count a try that was refused or has come back; it is owed (again). False where another try has begun."""
    return changed(session, _FAIL, {"id": owed.refund_id, "operation": owed.operation_id, "why": reason}) == 1


def ask_again(session: Session, owed: OwedRefund, operation_id: str) -> bool:
    """Name another operation as its newest try, unless somebody was quicker."""
    terms = {"id": owed.refund_id, "operation": owed.operation_id, "next": operation_id}
    return changed(session, _ASK_AGAIN, terms) == 1


def escalate(session: Session, owed: OwedRefund) -> bool:
    """Remember that accounting is told; False when it was."""
    terms = {"id": owed.refund_id, "operation": owed.operation_id, "not_yet": False, "now": True}
    return changed(session, _ESCALATE, terms) == 1


def propose(session: Session, owed: OwedRefund, by: str, reference: str) -> bool:
    """Remember who wants it paid otherwise, and under which reference; False where somebody was quicker."""
    terms = {"id": owed.refund_id, "operation": owed.operation_id, "by": by, "under": reference}
    return changed(session, _PROPOSE, terms) == 1


def _refund(row: Row[Any]) -> OwedRefund:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return OwedRefund(**plain, amount=Money(row.amount_minor, row.currency))
