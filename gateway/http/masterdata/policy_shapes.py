"""Policies as the API gives them."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel, Field

from gateway.http.masterdata.calendar_shapes import CalendarShape, calendar_shape
from gateway.http.masterdata.cancellation_fees import CancellationFees
from gateway.http.masterdata.promises_rule import PromisesRuleInput
from gateway.http.masterdata.returns_rule import ReturnsRuleInput
from services.orders.domain.policies import Policy, StoredPolicy
from services.orders.policies import versions as policy_versions


class RuleShape(BaseModel):
    """One check."""

    code: str
    scope: str
    when: str
    severity: str
    message: str
    hold_type: str
    owner_role: str


class TierShape(BaseModel):
    """Who is asked at one level."""

    level: int
    role: str
    position: str
    mode: str
    count: int
    limit: str


class ReviewRuleShape(BaseModel):
    """A row of the approval matrix."""

    code: str
    scope: str
    when: str
    message: str
    chain: str
    tiers: list[TierShape]


class DeadlinesShape(BaseModel):
    """Business hours until people are reminded, others are asked, and it is over."""

    remind_after_hours: int
    escalate_after_hours: int
    expire_after_hours: int
    on_expiry: str
    calendar: str


class ConsentRuleShape(BaseModel):
    """When the customer must agree to a change."""

    when: str
    expires_after_hours: int
    on_expiry: str


class ChangesRuleShape(BaseModel):
    """How long a pending change holds back the lines it touches, and a warehouse may leave a recall unanswered."""

    hold_release_hours: int
    recall_answer_hours: int


class PolicyShape(BaseModel):
    """A version of the policy."""

    version: int = Field(description="0 is the one built in.")
    rules: list[RuleShape]
    reviews: list[ReviewRuleShape]
    deadlines: DeadlinesShape
    consent: ConsentRuleShape
    changes: ChangesRuleShape
    cancellation_fees: CancellationFees
    returns: ReturnsRuleInput
    promises: PromisesRuleInput
    calendars: list[CalendarShape]
    window_hours: int
    currency: str | None = Field(description="Null is the company's currency.")
    note: str


class StoredPolicyShape(PolicyShape):
    """A version that was stored just now, and what to know of it."""

    warnings: list[str] = Field(
        description="Rows of the approval matrix that the people of the directory could never finish, and whom they lack."
    )


def stored_shape(stored: StoredPolicy) -> PolicyShape:
    """A stored version as the API gives it."""
    return policy_shape(policy_versions.parsed(stored), str(stored.document.get("note", "")))


def policy_shape(policy: Policy, note: str = "") -> PolicyShape:
    """A policy as the API gives it."""
    return PolicyShape(
        version=policy.version,
        rules=[RuleShape(**asdict(rule)) for rule in policy.rules],
        reviews=[ReviewRuleShape.model_validate(asdict(row)) for row in policy.reviews],
        deadlines=DeadlinesShape(**asdict(policy.deadlines)),
        consent=ConsentRuleShape(**asdict(policy.consent)),
        changes=ChangesRuleShape(**asdict(policy.changes)),
        cancellation_fees=CancellationFees(**asdict(policy.cancellation_fees)),
        returns=ReturnsRuleInput(**asdict(policy.returns)),
        promises=PromisesRuleInput(**asdict(policy.promises)),
        calendars=[calendar_shape(rule) for rule in policy.calendars],
        window_hours=policy.window_hours,
        currency=policy.currency or None,
        note=note,
    )
