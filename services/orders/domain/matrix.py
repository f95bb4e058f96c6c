"""The approval matrix of a policy: what is reviewed by whom in which order, until when, and when a customer must consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.orders.domain import policy_text as read
from services.orders.domain.policy_text import invalid
from services.orders.domain.reviews import ALL, ANY, BUYER, N_OF, NO_LIMIT, SELLER
from services.runtime.roles import KNOWLEDGE_ROLES, RULE_OWNERS, SELLER_DECIDERS, fallback

FINAL, ALWAYS_CHECKED = "final", "always"
LIMITS = (NO_LIMIT, FINAL, ALWAYS_CHECKED)
"""When a limit must cover the order, the mildest first."""
MODES = (ANY, N_OF, ALL)
"""How many must approve, the mildest first."""
REJECT_ON_EXPIRY, HOLD_ON_EXPIRY = "reject", "hold"
REVIEW_AGAIN, CANCEL_ORDER = "review", "cancel"

MAX_REVIEWS = 100
MAX_TIERS = 10
MAX_HOURS = 8760


@dataclass(frozen=True, slots=True)
class Tier:
    """Who is asked at one level; `count` is how many with mode n_of; `limit` is none, final or always."""

    level: int
    role: str
    position: str = ""
    mode: str = ANY
    count: int = 1
    limit: str = FINAL


@dataclass(frozen=True, slots=True)
class ReviewRule:
    """A row of the matrix: orders, or lines, for which `when` is true are asked about, tier after tier."""

    code: str
    scope: str
    when: str
    message: str
    chain: str
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Business hours from the opening of a step until its people are reminded, others are asked, and it is over.

    0 hours of the first two: it is not done. The end is a rejection or a hold, never an approval.
    """

    remind_after_hours: int = 4
    escalate_after_hours: int = 24
    expire_after_hours: int = 120
    on_expiry: str = HOLD_ON_EXPIRY
    calendar: str = "business"


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """Which proposed changes the customer must agree to: a CEL predicate over `change`, empty for the company's own rule.

    The hours are elapsed ones: a customer has no calendar of ours.
    """

    when: str = ""
    expires_after_hours: int = 48
    on_expiry: str = REVIEW_AGAIN


@dataclass(frozen=True, slots=True)
class ChangesRule:
    """For how many elapsed hours a change that waits for people holds back the lines it touches, and a warehouse may leave a recall
    unanswered before it is escalated; 0 for not at all, and for ever.
    """

    hold_release_hours: int = 24
    recall_answer_hours: int = 2


USUAL_DEADLINES = Deadlines()
USUAL_CHANGES = ChangesRule()
USUAL_CONSENT = ConsentRule()


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of the matrix that an order, or one line of it, fell under."""

    rule: ReviewRule
    line_id: str = ""


def parse_reviews(value: object) -> tuple[ReviewRule, ...]:
    """The rows of the matrix; InvalidArgument POLICY_INVALID names the row by its code."""
    found = read.rows(value, "reviews", MAX_REVIEWS)
    return tuple(_review(row, f"review {position}") for position, row in enumerate(found, start=1))


def _review(value: object, where: str) -> ReviewRule:
    row = read.members(value, where, ("code", "scope", "when", "message", "chain", "tiers"))
    code = read.code(row.get("code"), where)
    named = f"review {code}"
    chain = read.one_of(row.get("chain", SELLER), f"{named}: chain", (SELLER, BUYER))
    tiers = read.rows(row.get("tiers"), f"{named}: tiers", MAX_TIERS)
    if not tiers:
        raise invalid(named, "at least one tier says who is asked", rule=code)
    return ReviewRule(
        code=code,
        scope=read.one_of(row.get("scope", "header"), f"{named}: scope", read.SCOPES),
        when=read.predicate(row.get("when"), named),
        message=read.message(row.get("message"), named),
        chain=chain,
        tiers=tuple(_tier(tier, f"{named}: tier {position}", chain) for position, tier in enumerate(tiers, start=1)),
    )


def _tier(value: object, where: str, chain: str) -> Tier:
    row = read.members(value, where, ("level", "role", "position", "mode", "count", "limit"))
    role = read.one_of(row.get("role"), f"{where}: role", ("customer",) if chain == BUYER else SELLER_DECIDERS)
    position = read.words(row.get("position", ""), f"{where}: position")
    mode = read.one_of(row.get("mode", ANY), f"{where}: mode", MODES)
    count = read.whole(row.get("count", 1), f"{where}: count", 1, 20)
    if (mode == N_OF) != (count > 1):
        raise invalid(where, "a count above 1 goes with mode n_of, and n_of with such a count")
    limit = read.one_of(row.get("limit", _usual_limit(role)), f"{where}: limit", LIMITS)
    if role in KNOWLEDGE_ROLES and limit != NO_LIMIT:
        raise invalid(where, f"{role} is asked for what it knows: a tier with a limit asks an approver")
    return Tier(
        level=read.whole(row.get("level", 1), f"{where}: level", 1, 20),
        role=role,
        position=read.word(position, f"{where}: position") if position else "",
        mode=mode,
        count=count,
        limit=limit,
    )


def _usual_limit(role: str) -> str:
    return NO_LIMIT if role in KNOWLEDGE_ROLES else FINAL


def carried(document: Mapping[str, Any]) -> dict[str, Any]:
    """A stored document with the roles of today: what named a role that approves nothing names its fallback."""
    rules = [_owned(rule) for rule in document["rules"]]
    reviews = [
        {**row, "tiers": [_asked(tier, row.get("chain", SELLER)) for tier in row["tiers"]]}
        for row in document.get("reviews", ())
    ]
    return {**document, "rules": rules, **({"reviews": reviews} if reviews else {})}


def _owned(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    owner = rule.get("owner_role", "")
    return {**rule, "owner_role": fallback(owner)} if owner and owner not in RULE_OWNERS else rule


def _asked(tier: Mapping[str, Any], chain: str) -> Mapping[str, Any]:
    role = tier["role"]
    has_limit = tier.get("limit", NO_LIMIT) != NO_LIMIT
    if chain == BUYER or (role in SELLER_DECIDERS and not (role in KNOWLEDGE_ROLES and has_limit)):
        return tier
    return {**tier, "role": "approver"}


def parse_deadlines(value: object) -> Deadlines:
    """The deadlines; a reminder comes before the escalation, and that before the end."""
    usual = USUAL_DEADLINES
    row = read.members(value, "deadlines", tuple(Deadlines.__dataclass_fields__))
    hours = {
        name: read.whole(row.get(name, getattr(usual, name)), f"deadlines: {name}", low, MAX_HOURS)
        for name, low in (("remind_after_hours", 0), ("escalate_after_hours", 0), ("expire_after_hours", 1))
    }
    asked = [count for count in hours.values() if count]
    if asked != sorted(set(asked)):
        raise invalid("deadlines", "people are reminded first, others asked later, and the end comes last")
    ends = (REJECT_ON_EXPIRY, HOLD_ON_EXPIRY)
    return Deadlines(
        **hours,
        on_expiry=read.one_of(row.get("on_expiry", usual.on_expiry), "deadlines: on_expiry", ends),
        calendar=read.word(row.get("calendar", usual.calendar), "deadlines: calendar"),
    )


def parse_consent(value: object) -> ConsentRule:
    """When the customer must agree, and for how long the answer is awaited."""
    usual = USUAL_CONSENT
    row: Mapping[str, Any] = read.members(value, "consent", tuple(ConsentRule.__dataclass_fields__))
    when = read.words(row.get("when", ""), "consent: when")
    return ConsentRule(
        when=read.predicate(when, "consent") if when else "",
        expires_after_hours=read.whole(
            row.get("expires_after_hours", usual.expires_after_hours), "consent: expires_after_hours", 1, MAX_HOURS
        ),
        on_expiry=read.one_of(
            row.get("on_expiry", usual.on_expiry), "consent: on_expiry", (REVIEW_AGAIN, CANCEL_ORDER)
        ),
    )


def parse_changes(value: object) -> ChangesRule:
    """How long a pending change holds back what it touches, and how long a warehouse may leave a recall unanswered."""
    names = tuple(ChangesRule.__dataclass_fields__)
    row = read.members(value, "changes", names)
    return ChangesRule(
        **{
            name: read.whole(row.get(name, getattr(USUAL_CHANGES, name)), f"changes: {name}", 0, MAX_HOURS)
            for name in names
        }
    )
