"""Planning a review: rows of the matrix become steps, one for each who is asked, and levels open one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.kernel.calendars import Calendar, after_hours
from services.kernel.clock import business_day
from services.orders.domain.matrix import FINAL, LIMITS, MODES, Deadlines, Hit, Tier
from services.orders.domain.people import Person, could_hold
from services.orders.domain.policies import PlannedHold
from services.orders.domain.reviews import (
    ALL,
    ANY,
    APPROVE,
    APPROVED,
    BUYER,
    NO_LIMIT,
    OPEN,
    REJECTED,
    SELLER,
    VOID,
    WAITING,
    Review,
    Step,
)

MANUFACTURING = "manufacturing"


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """What makes two rows of the matrix ask the same: they become one step."""

    chain: str
    level: int
    role: str
    position: str
    line_id: str


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    mode: str
    count: int
    limit: str
    reasons: Mapping[str, str]


def plan_steps(
    hits: Iterable[Hit],
    review: Review,
    new_step_id: Callable[[], str],
    holds: Sequence[PlannedHold] = (),
    owner_of: Callable[[str], str] = str,
) -> tuple[Step, ...]:
    """The steps of a review, all waiting, in the order of chain (seller first), level and who is asked.

    Rows that ask the same person about the same thing are one step: the strictest mode, the highest count, the strictest
    limit, and all their reasons. The plan does not depend on the order of the rows. `holds` that a change to an accepted order
    calls for ask their owner role at level 1. `owner_of` gives the role that is asked for one which is nobody of the customer's.
    """
    asked: dict[Question, _Asked] = {}
    for each in (*_of_hits(hits, owner_of), *_of_holds(holds, owner_of)):
        earlier = asked.get(each.question)
        asked[each.question] = _merged(earlier, each) if earlier else each
    ordered = sorted(asked.values(), key=lambda each: (each.question.chain != SELLER, each.question))
    return tuple(_step(each, review, new_step_id()) for each in ordered)


def _of_hits(hits: Iterable[Hit], owner_of: Callable[[str], str]) -> Iterable[_Asked]:
    for hit in hits:
        for tier in hit.rule.tiers:
            line_id = hit.line_id if tier.role == MANUFACTURING else ""
            question = Question(hit.rule.chain, tier.level, owner_of(tier.role), tier.position, line_id)
            yield _Asked(question, tier.mode, tier.count, tier.limit, {hit.rule.code: hit.rule.message})


def _of_holds(holds: Sequence[PlannedHold], owner_of: Callable[[str], str]) -> Iterable[_Asked]:
    for hold in holds:
        tier = Tier(1, owner_of(hold.owner_role), limit=NO_LIMIT)
        question = Question(SELLER, tier.level, tier.role, "", "")
        yield _Asked(question, tier.mode, tier.count, tier.limit, {hold.code: hold.reason})


def _merged(one: _Asked, other: _Asked) -> _Asked:
    return _Asked(
        one.question,
        max(one.mode, other.mode, key=MODES.index),
        max(one.count, other.count),
        max(one.limit, other.limit, key=LIMITS.index),
        {**one.reasons, **other.reasons},
    )


def _step(asked: _Asked, review: Review, step_id: str) -> Step:
    question = asked.question
    codes = tuple(sorted(asked.reasons))
    return Step(
        step_id=step_id,
        review_id=review.review_id,
        order_id=review.order_id,
        order_version=review.order_version,
        chain=question.chain,
        level=question.level,
        role=question.role,
        position=question.position,
        mode=asked.mode,
        needed=asked.count,
        limit=asked.limit,
        codes=codes,
        reasons=tuple(dict.fromkeys(asked.reasons[code] for code in codes)),
        line_id=question.line_id,
    )


def is_passed(step: Step) -> bool:
    """Whether it no longer keeps the levels behind it; what the plant refuses is kept by a hold instead."""
    return step.state == APPROVED or (step.state == REJECTED and step.role == MANUFACTURING)


def due_to_open(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Waiting steps that no lower level of their chain keeps any more."""
    return tuple(
        step
        for step in steps
        if step.state == WAITING
        and all(is_passed(other) for other in steps if other.chain == step.chain and other.level < step.level)
    )


def opened(step: Step, asked: Sequence[Person], calendar: Calendar, deadlines: Deadlines, now: datetime) -> Step:
    """The step from now on: its instants count the calendar's hours, and mode all needs everybody who is asked at this moment."""

    def after(hours: int) -> datetime | None:
        return after_hours(calendar, now, hours) if hours else None

    return replace(
        step,
        state=OPEN,
        opened_at=now,
        needed=max(1, len(asked)) if step.mode == ALL else 1 if step.mode == ANY else step.needed,
        remind_at=after(deadlines.remind_after_hours),
        escalate_at=after(deadlines.escalate_after_hours),
        expires_at=after(deadlines.expire_after_hours),
        asked_on=business_day(now, calendar.time_zone) if step.role == MANUFACTURING else None,
    )


def is_candidate(person: Person, step: Step, company: str, sales_rep: str) -> bool:
    """Whether a step asks this person; a buyer's chain asks its own people, and sales only who sells to the customer."""
    return (
        person.is_active
        and step.taken_by in person.roles
        and (not step.position or step.position in person.positions)
        and person.company == (company if step.chain == BUYER else "")
        and (step.taken_by != "sales_rep" or person.sub == sales_rep)
    )


def stands_above(roles: Collection[str], step: Step) -> bool:
    """Whether these roles may take a step that is escalated to them: authority of its chain, or what it asks for anyway."""
    authority = "customer" if step.chain == BUYER else "approver"
    return authority in roles or (not step.is_approval and could_hold(step.taken_by, roles))


def has_last_word(step: Step, steps: Iterable[Step]) -> bool:
    """Whether no later level of its chain asks for authority."""
    return not any(
        other.is_approval and other.chain == step.chain and other.level > step.level and other.state != VOID
        for other in steps
    )


def still_suffices(step: Step, planned: Sequence[Step], limits: Mapping[str, int], amount_minor: int) -> bool:
    """Whether approvals of an earlier version cover the new one, which may leave the last word to them.

    `limits` is subject → minor units that its right reaches to; who is missing reaches to nothing.
    """
    approvals = [one for one in step.decisions if one.decision == APPROVE and not one.is_void]
    if not step.is_approval or step.limit == NO_LIMIT or (step.limit == FINAL and not has_last_word(step, planned)):
        return True
    return all(limits.get(one.acting_for or one.decided_by, 0) >= amount_minor for one in approvals)


def keeps_asking(earlier: Step, planned: Step) -> bool:
    """Whether a step of an earlier version answers what a step of a new plan asks: the same people, as many, no less strictly."""
    return (
        (earlier.chain, earlier.level, earlier.role, earlier.position, earlier.line_id)
        == (planned.chain, planned.level, planned.role, planned.position, planned.line_id)
        and MODES.index(earlier.mode) >= MODES.index(planned.mode)
        and LIMITS.index(earlier.limit) >= LIMITS.index(planned.limit)
    )
