"""Feedback on orders, and the numbers of the support cases it opens."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlmodel import Session, col

from services.kernel.ids import support_case_number
from services.orders.domain.feedback import Feedback, Opinion
from services.orders.models import FeedbackRow
from services.orders.store.orders import next_value

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
    if row is None:
        return None
    opinion = Opinion(**{name: getattr(row, name) for name in _OPINION})
    return Feedback(opinion=opinion, **{name: getattr(row, name) for name in _GIVEN})
