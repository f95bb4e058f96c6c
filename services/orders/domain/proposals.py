"""A proposal: what a change would come to, who must agree, and what follows, before anybody is bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import InvalidArgument, NotPermitted, Refused
from services.orders.domain import differences
from services.orders.domain.amendment import Amendment, Obstacle, below_minimum, needs_recall
from services.orders.domain.changes import ChangeRequest, Difference
from services.orders.domain.order import IN_REVIEW, Order
from services.orders.domain.pricing import basis_points
from services.orders.domain.projection import Progress

CUSTOMER = "customer"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change as it would be; it can be made when there are no obstacles.

    `is_favorable`: the customer can only gain. `is_reviewed`: our people decide on it before it is made. `consequences` are sentences for the person who asks.
    """

    before: Order
    after: Order
    difference: tuple[Difference, ...]
    kinds: tuple[str, ...]
    is_material: bool
    is_favorable: bool
    needs_consent: bool
    needs_recall: bool
    obstacles: tuple[Obstacle, ...]
    is_reviewed: bool = False

    @property
    def voids_approvals(self) -> bool:
        """Whether the review of the version before ends at once."""
        return self.is_material and self.before.phase == IN_REVIEW

    @property
    def consequences(self) -> tuple[str, ...]:
        """What follows, in words."""
        return tuple(_consequences(self))


def proposal(order: Order, amendment: Amendment, progress: Progress) -> Proposal:
    """The proposal that an amendment comes to, before anybody was asked for a consent."""
    rows = differences.difference(order, amendment.order, amendment.replaced)
    found = tuple(dict.fromkeys((*amendment.obstacles, *below_minimum(order, amendment.order, progress))))
    if not rows and not found:
        found = (Obstacle("NOTHING_CHANGES", "the order is like that already: say what is to change"),)
    of_kinds = differences.kinds(order, rows)
    return Proposal(
        before=order,
        after=amendment.order,
        difference=rows,
        kinds=of_kinds,
        is_material=differences.is_material(order, amendment.order, of_kinds),
        is_favorable=differences.is_favorable(order, amendment.order),
        needs_consent=False,
        needs_recall=needs_recall(order, amendment.order, progress),
        obstacles=found,
    )


def check_request(request: ChangeRequest, role: str) -> None:
    """NotPermitted when a customer names an amount: prices, discount and freight are said by our sales."""
    names_amount = request.discount is not None or request.freight is not None
    if role == CUSTOMER and (names_amount or any(line.unit_price is not None for line in request.lines)):
        sentence = (
            "leave prices, discount and freight out: what you agreed with us counts; ask your contact for another"
        )
        raise NotPermitted("AMOUNT_NOT_PERMITTED", sentence)


def check_consent(request: ChangeRequest, role: str, placed_at: datetime, now: datetime) -> None:
    """NotPermitted for a customer, who consents by asking; InvalidArgument for a consent of a time when none could be given."""
    if request.consent is None:
        return
    if role == CUSTOMER:
        raise NotPermitted("CONSENT_NOT_YOURS", "leave the consent out: by asking for the change you agree to it")
    # people say minutes
    if not placed_at.replace(second=0, microsecond=0) <= request.consent.given_at <= now:
        sentence = "the consent was given after the order was placed and before now: correct given_at"
        raise InvalidArgument("CONSENT_TIME_IMPOSSIBLE", sentence)


def refuse_obstacles(obstacles: tuple[Obstacle, ...]) -> None:
    """Refused CHANGE_NOT_POSSIBLE with every obstacle in one sentence, or the one obstacle under its own code."""
    if not obstacles:
        return
    if len(obstacles) == 1:
        raise Refused(obstacles[0].code, obstacles[0].sentence, **_where(obstacles))
    shown = "; ".join(one.sentence for one in obstacles[:_SHOWN])
    more = f"; and {len(obstacles) - _SHOWN} more" if len(obstacles) > _SHOWN else ""
    codes = ",".join(dict.fromkeys(one.code for one in obstacles))
    raise Refused("CHANGE_NOT_POSSIBLE", shown + more, codes=codes, **_where(obstacles))


def _where(obstacles: tuple[Obstacle, ...]) -> dict[str, str]:
    line_ids = ",".join(dict.fromkeys(one.line_id for one in obstacles[:_SHOWN] if one.line_id))
    return {"line_ids": line_ids} if line_ids else {}


def consent_facts(given: Proposal, role: str) -> dict[str, object]:
    """What a consent predicate may look at as `change`: amounts in minor units, shares in basis points."""
    was, now = given.before.totals.total, given.after.totals.total
    later = 0
    if given.before.requested_on and given.after.requested_on:
        later = (given.after.requested_on - given.before.requested_on).days
    return {
        "kinds": list(given.kinds),
        "delta_minor": now.minor - was.minor,
        "delta_bp": basis_points(now.minor - was.minor, was.minor),
        "total_before_minor": was.minor,
        "total_after_minor": now.minor,
        "days_later": later,
        "is_material": given.is_material,
        "is_favorable": given.is_favorable,
        "proposed_by_role": role,
    }


def _consequences(given: Proposal) -> Iterator[str]:
    was, now = given.before.totals.total, given.after.totals.total
    if given.after.taxation.is_pending:
        yield "the tax is not known yet: these totals have none"
    if now > was:
        yield f"the order comes to {now - was} more: {now}"
    elif now < was:
        yield f"the order comes to {was - now} less: {now}"
    else:
        yield f"the order comes to {now} as before"
    if given.needs_consent:
        yield "the customer is asked to agree first"
    elif not given.is_reviewed:
        yield "nobody has to agree to it first"
    if given.is_reviewed:
        yield "our people review it before it is made"
    if given.voids_approvals:
        yield "approvals of the version before no longer count; what must be approved is asked again"
    if given.needs_recall:
        yield "the warehouse is asked to give back what was released to it, and may refuse"
