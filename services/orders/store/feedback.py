"""Feedback on orders, and the numbers of the support cases it opens."""

from __future__ import annotations

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from services.kernel.ids import support_case_number
from services.orders.domain.access import Scope
from services.orders.domain.feedback import Feedback, Opinion, SupportCase
from services.orders.models import FeedbackRow, OrderRow
from services.orders.store.orders import next_value, within

_OPINION = ("rating", "comment", "wants_support")
_GIVEN = ("order_id", "case_number", "given_by", "given_role", "given_at")


def next_case_number(session: Session) -> str:
    """The next support case number; cases queue here as orders do for theirs."""
    return support_case_number(next_value(session, "support_case"))


def add(session: Session, feedback: Feedback) -> None:
    """Keep the feedback of an order that has none."""
    given = {name: getattr(feedback, name) for name in _GIVEN}
    said = {name: getattr(feedback.opinion, name) for name in _OPINION}
    session.execute(insert(FeedbackRow).values(**given, **said))


def of_order(session: Session, order_id: str) -> Feedback | None:
    """The feedback on an order; None when there is none."""
    row = session.scalars(select(FeedbackRow).where(col(FeedbackRow.order_id) == order_id)).first()
    return None if row is None else _feedback(row)


def cases(session: Session, scope: Scope, *, before: str = "", limit: int = 50) -> list[SupportCase]:
    """Support cases of the orders that a scope shows, newest first; `before` is the number that the last page ended with."""
    number = col(FeedbackRow.case_number)
    query = select(FeedbackRow, col(OrderRow.number), col(OrderRow.customer_name))
    query = query.join(OrderRow, col(OrderRow.order_id) == col(FeedbackRow.order_id))
    query = query.where(number.is_not(None), within(scope))
    if before:
        is_shorter = func.length(number) < len(before)
        query = query.where(is_shorter | ((func.length(number) == len(before)) & (number < before)))
    found = session.execute(query.order_by(func.length(number).desc(), number.desc()).limit(limit))
    return [SupportCase(str(row.case_number), order, customer, _feedback(row)) for row, order, customer in found]


def count_cases(session: Session, scope: Scope) -> int:
    """How many support cases the orders of a scope have."""
    query = select(func.count()).select_from(FeedbackRow)
    query = query.join(OrderRow, col(OrderRow.order_id) == col(FeedbackRow.order_id))
    return int(session.execute(query.where(col(FeedbackRow.case_number).is_not(None), within(scope))).scalar_one())


def _feedback(row: FeedbackRow) -> Feedback:
    opinion = Opinion(**{name: getattr(row, name) for name in _OPINION})
    return Feedback(opinion=opinion, **{name: getattr(row, name) for name in _GIVEN})
