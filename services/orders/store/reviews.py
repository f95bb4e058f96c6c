"""Reviews with their steps and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import false, insert, select, update
from sqlmodel import Session, col

from services.orders.domain.reviews import APPROVE, VOID, Decision, Review, Step
from services.orders.models import DecisionRow, ReviewRow, StepRow

_REVIEW = (
    "review_id",
    "order_id",
    "order_version",
    "policy_version",
    "state",
    "opened_at",
    "cumulative_minor",
    "currency",
    "change_id",
    "decided_at",
)
_STEP = (
    "step_id",
    "review_id",
    "order_id",
    "order_version",
    "chain",
    "level",
    "role",
    "position",
    "mode",
    "needed",
    "limit",
    "state",
    "line_id",
    "opened_at",
    "remind_at",
    "escalate_at",
    "expires_at",
    "reminded_at",
    "escalated_at",
    "decided_at",
)
_STEP_LISTS = ("codes", "reasons", "escalated_to")
_DECISION = (
    "decision_id",
    "step_id",
    "order_id",
    "order_version",
    "decided_by",
    "acting_for",
    "role",
    "decision",
    "note",
    "decided_at",
    "is_void",
)
_FRESH = {"populate_existing": True}
_QUIET = {"synchronize_session": False}


def add(session: Session, review: Review) -> None:
    """Keep a review with its steps."""
    session.execute(insert(ReviewRow).values(**{name: getattr(review, name) for name in _REVIEW}))
    add_steps(session, review.steps)


def add_steps(session: Session, steps: Sequence[Step]) -> None:
    """Keep steps of a review that is kept."""
    if steps:
        session.execute(insert(StepRow), [_step_values(step) for step in steps])


def _step_values(step: Step) -> dict[str, Any]:
    return {
        **{name: getattr(step, name) for name in _STEP},
        **{name: list(getattr(step, name)) for name in _STEP_LISTS},
        "asked_on": step.asked_on.isoformat() if step.asked_on else "",
    }


def of_order(session: Session, order_id: str) -> tuple[Review, ...]:
    """Every review of an order, oldest first, with steps (by chain, level, id) and decisions (oldest first)."""
    return of_orders(session, [order_id]).get(order_id, ())


def of_orders(session: Session, order_ids: Sequence[str]) -> dict[str, tuple[Review, ...]]:
    """Order id → its reviews as of_order() gives them; orders without any are missing."""
    query = select(ReviewRow).where(col(ReviewRow.order_id).in_(order_ids))
    rows = session.scalars(
        query.order_by(col(ReviewRow.opened_at), col(ReviewRow.review_id)), execution_options=_FRESH
    ).all()
    if not rows:
        return {}
    steps = _steps_of(session, [row.order_id for row in rows])
    found: dict[str, tuple[Review, ...]] = {}
    for row in rows:
        review = Review(**{name: getattr(row, name) for name in _REVIEW}, steps=tuple(steps.get(row.review_id, ())))
        found[row.order_id] = (*found.get(row.order_id, ()), review)
    return found


def _steps_of(session: Session, order_ids: Sequence[str]) -> dict[str, list[Step]]:
    decisions = _decisions_of(session, order_ids)
    query = select(StepRow).where(col(StepRow.order_id).in_(order_ids))
    ordered = query.order_by(col(StepRow.chain).desc(), col(StepRow.level), col(StepRow.step_id))
    found: dict[str, list[Step]] = {}
    for row in session.scalars(ordered, execution_options=_FRESH):
        found.setdefault(row.review_id, []).append(replace(_step(row), decisions=tuple(decisions.get(row.step_id, ()))))
    return found


def _step(row: StepRow) -> Step:
    return Step(
        **{name: getattr(row, name) for name in _STEP},
        codes=tuple(row.codes),
        reasons=tuple(row.reasons),
        escalated_to=tuple(row.escalated_to),
        asked_on=date.fromisoformat(row.asked_on) if row.asked_on else None,
    )


def _decisions_of(session: Session, order_ids: Sequence[str]) -> dict[str, list[Decision]]:
    query = select(DecisionRow).where(col(DecisionRow.order_id).in_(order_ids))
    ordered = query.order_by(col(DecisionRow.decided_at), col(DecisionRow.decision_id))
    found: dict[str, list[Decision]] = {}
    for row in session.scalars(ordered, execution_options=_FRESH):
        ready_on = date.fromisoformat(row.ready_on) if row.ready_on else None
        decision = Decision(**{name: getattr(row, name) for name in _DECISION}, ready_on=ready_on)
        found.setdefault(row.step_id, []).append(decision)
    return found


def deciders_of(session: Session, order_ids: Sequence[str]) -> set[str]:
    """The subjects of everybody who has decided on these orders, and for whom."""
    query = select(col(DecisionRow.decided_by), col(DecisionRow.acting_for)).distinct()
    rows = session.execute(query.where(col(DecisionRow.order_id).in_(order_ids)))
    return {str(sub) for row in rows for sub in row if sub}


def change_review(session: Session, review_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of a review whose order is locked."""
    statement = update(ReviewRow).where(col(ReviewRow.review_id) == review_id).values(**values)
    session.execute(statement, execution_options=_QUIET)


def change_steps(session: Session, step_ids: Sequence[str], values: Mapping[str, Any]) -> None:
    """Set columns of steps whose order is locked."""
    statement = update(StepRow).where(col(StepRow.step_id).in_(step_ids)).values(**values)
    session.execute(statement, execution_options=_QUIET)


def add_decision(session: Session, decision: Decision, step: Step, intent_fact_id: str) -> None:
    """Keep a decision; `intent_fact_id` is the outbox row that lets the workflow look if the request cannot."""
    values: dict[str, Any] = {name: getattr(decision, name) for name in _DECISION}
    session.execute(
        insert(DecisionRow).values(
            **values,
            review_id=step.review_id,
            authority=decision.acting_for or decision.decided_by,
            is_approval=step.is_approval,
            ready_on=decision.ready_on.isoformat() if decision.ready_on else "",
            intent_fact_id=intent_fact_id,
        )
    )


def close_steps(session: Session, step_ids: Sequence[str], now: datetime) -> None:
    """These steps were not answered and are not asked any more."""
    change_steps(session, step_ids, {"state": VOID, "decided_at": now})


def void_decisions(session: Session, step_ids: Sequence[str]) -> None:
    """Decisions on these steps do not count any more."""
    statement = update(DecisionRow).where(col(DecisionRow.step_id).in_(step_ids)).values(is_void=True)
    session.execute(statement, execution_options=_QUIET)


def rebind(session: Session, review_id: str, step_ids: Sequence[str], version: int) -> None:
    """Bind a review, those of its steps and their decisions to another version of the order."""
    for table, chosen in (
        (ReviewRow, col(ReviewRow.review_id) == review_id),
        (StepRow, col(StepRow.step_id).in_(step_ids)),
        (DecisionRow, col(DecisionRow.step_id).in_(step_ids)),
    ):
        session.execute(update(table).where(chosen).values(order_version=version), execution_options=_QUIET)


def one(session: Session, step_id: str) -> tuple[str, str] | None:
    """(order id, review id) of a step; None when there is none of this id."""
    query = select(col(StepRow.order_id), col(StepRow.review_id)).where(col(StepRow.step_id) == step_id)
    row = session.execute(query).first()
    return (str(row[0]), str(row[1])) if row else None


def ready_days(session: Session, order_id: str) -> dict[str, date]:
    """Line id → the day that the plant confirmed or countered last, of decisions that count."""
    query = (
        select(col(StepRow.line_id), col(DecisionRow.ready_on))
        .join(StepRow, col(StepRow.step_id) == col(DecisionRow.step_id))
        .where(col(DecisionRow.order_id) == order_id, col(DecisionRow.ready_on) != "")
        .where(col(DecisionRow.is_void) == false(), col(DecisionRow.decision) == APPROVE)
        .order_by(col(DecisionRow.decided_at), col(DecisionRow.decision_id))
    )
    return {str(line_id): date.fromisoformat(day) for line_id, day in session.execute(query)}
