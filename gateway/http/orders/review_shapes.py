"""Shapes of reviews: steps with their decisions as a caller may see them, and rows of what waits."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from gateway.http.orders.decision_shapes import DecisionFactsShape
from gateway.http.plumbing.shapes import MoneyShape, rfc3339
from services.orders.access.matrix import Caller
from services.orders.domain.reviews import APPROVE, BUYER, REVIEW_STATES, STEP_STATES, Decision, Review, Step
from services.orders.overview.inbox import Waiting


class DecisionShape(BaseModel):
    """What somebody decided; a void one was taken on a version that no longer stands."""

    decision_id: str
    decision: str = Field(description="approve, reject or request_changes.")
    decided_by: str
    acting_for: str = Field(description="Whose right was used by delegation; empty for one's own.")
    decided_at: str
    version: int
    note: str
    ready_on: str | None = Field(description="The day that manufacturing names.")
    is_void: bool


class ReviewStepShape(BaseModel):
    """One tier's question about the order, or about one line of it."""

    step_id: str
    chain: str = Field(description="seller, or buyer for the customer's own purchase approval.")
    level: int = Field(description="Steps of a chain open level by level.")
    asks: str = Field(examples=["finance director approval"])
    role: str = Field(description="Whom it asks.")
    position: str = Field(description="Which of them, by a word of the approval matrix; empty for any.")
    line_id: str | None = Field(description="Null when it is about the whole order.")
    state: str = Field(description=", ".join(STEP_STATES))
    needed: int = Field(description="How many distinct people must approve.")
    reasons: list[str] = Field(description="Why it is asked; a customer reads none.")
    codes: list[str] = Field(description="The rows of the approval matrix, or rules, that ask it.")
    opened_at: str | None = Field(description="Null while an earlier level is open.")
    due: str | None = Field(description="When it is over unless it is decided.")
    escalates_at: str | None = Field(description="When others are asked too; null for never.")
    escalated_to: list[str] = Field(description="Who was asked too, once it is.")
    asked_on: str | None = Field(
        description="The plant's day on which it was asked: its lead days begin; null for others."
    )
    decisions: list[DecisionShape]


class ReviewShape(BaseModel):
    """Everything that one version of the order, or a change to it, is asked."""

    review_id: str
    version: int = Field(description="The order's version that it is about.")
    state: str = Field(description=", ".join(REVIEW_STATES))
    change_id: str | None = Field(description="The change it is about, where that makes the next version; else null.")
    opened_at: str
    decided_at: str | None
    counts_as: MoneyShape | None = Field(
        description="What limits are held against: the order with what the customer ordered within the policy's window."
    )
    steps: list[ReviewStepShape]


class WaitingStep(BaseModel):
    """A step that waits for somebody, with the order it is about."""

    step_id: str
    order_id: str
    number: str
    version: int = Field(description="The order's version; give it back with the decision.")
    customer_id: str
    customer_name: str
    total: MoneyShape | None = Field(description="Null for who sees no prices.")
    asks: str
    role: str
    line_id: str | None
    reasons: list[str]
    opened_at: str | None
    age_hours: int
    due: str | None
    is_escalated: bool
    who: list[str] = Field(description="The people who may decide it.")
    may_decide: bool = Field(description="Whether you may.")
    why_not: str = Field(description="Why you may not; empty when you may.")


class ReviewStepDocument(BaseModel):
    """One step, the order it is about in short, and the whole review around it."""

    waiting: WaitingStep
    step: ReviewStepShape
    review: ReviewShape
    facts: DecisionFactsShape | None = Field(
        description="What the decision rests on, while it is open; null for who is outside our staff."
    )


def review_shapes(reviews: Sequence[Review], who: Caller) -> list[ReviewShape]:
    """The reviews as this caller may see them: a customer sees its own purchase approval, none of ours."""
    shown = [review_shape(review, who) for review in reviews]
    return [review for review in shown if review.steps]


def review_shape(review: Review, who: Caller) -> ReviewShape:
    """One review; a customer's shape has only the steps of its own chain."""
    is_redacted = who.reach == "own"
    steps = [step for step in review.steps if step.chain == BUYER or not is_redacted]
    is_shown = who.sees_money and not is_redacted
    return ReviewShape(
        review_id=review.review_id,
        version=review.order_version,
        state=review.state,
        change_id=review.change_id or None,
        opened_at=rfc3339(review.opened_at),
        decided_at=rfc3339(review.decided_at) if review.decided_at else None,
        counts_as=MoneyShape.of_minor(review.cumulative_minor, review.currency) if is_shown else None,
        steps=[step_shape(step, is_redacted=is_redacted) for step in steps],
    )


def step_shape(step: Step, *, is_redacted: bool) -> ReviewStepShape:
    """One step; reasons and codes are ours, so who is outside our staff reads none."""
    return ReviewStepShape(
        step_id=step.step_id,
        chain=step.chain,
        level=step.level,
        asks=step.question,
        role=step.role,
        position=step.position,
        line_id=step.line_id or None,
        state=step.state,
        needed=step.needed,
        reasons=[] if is_redacted else list(step.reasons),
        codes=[] if is_redacted else list(step.codes),
        opened_at=rfc3339(step.opened_at) if step.opened_at else None,
        due=rfc3339(step.expires_at) if step.expires_at else None,
        escalates_at=rfc3339(step.escalate_at) if step.escalate_at else None,
        escalated_to=list(step.escalated_to),
        asked_on=step.asked_on.isoformat() if step.asked_on else None,
        decisions=[_decision_shape(decision) for decision in step.decisions],
    )


def _decision_shape(decision: Decision) -> DecisionShape:
    return DecisionShape(
        decision_id=decision.decision_id,
        decision=decision.decision,
        decided_by=decision.decided_by,
        acting_for=decision.acting_for,
        decided_at=rfc3339(decision.decided_at),
        version=decision.order_version,
        note=decision.note,
        ready_on=decision.ready_on.isoformat() if decision.ready_on and decision.decision == APPROVE else None,
        is_void=decision.is_void,
    )


def waiting_step(row: Waiting, who: Caller, age_hours: int) -> WaitingStep:
    """A row of what waits, as this caller may see it."""
    order, step = row.order, row.step
    is_redacted = who.reach == "own"
    return WaitingStep(
        step_id=step.step_id,
        order_id=order.order_id,
        number=order.number,
        version=order.version,
        customer_id=order.customer_id,
        customer_name=order.customer_name,
        total=MoneyShape.of(order.totals.total) if who.sees_money else None,
        asks=step.question,
        role=step.role,
        line_id=step.line_id or None,
        reasons=[] if is_redacted else list(step.reasons),
        opened_at=rfc3339(step.opened_at) if step.opened_at else None,
        age_hours=age_hours,
        due=rfc3339(step.expires_at) if step.expires_at else None,
        is_escalated=step.escalated_at is not None,
        who=[person.name or person.sub for person in row.asked],
        may_decide=row.obstacle is None,
        why_not=row.obstacle.message if row.obstacle else "",
    )
