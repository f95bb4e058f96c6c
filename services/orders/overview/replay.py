"""Orders of the past under another policy: what would have been decided otherwise. It reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache, partial

from sqlmodel import Session

from services.orders.approvals import plan_review
from services.orders.domain.order import Order
from services.orders.domain.policies import Policy
from services.orders.domain.replayed import Decision, ReplayedOrder, Validated, decision
from services.orders.policies import evaluate, versions
from services.orders.policies.engine import CREDIT_NOT_ASKED, Credit
from services.orders.store import orders as order_store
from services.orders.store import validations
from services.orders.store import versions as kept_versions

Place = tuple[datetime, str]
"""When an order was placed, and its id: where a page of a replay ends."""


def replay(
    session: Session, tried: Policy, after: Place, until: datetime, most: int
) -> tuple[list[ReplayedOrder], Place | None]:
    """The next orders placed behind `after` and before `until`, oldest first, and where to go on; None at the end.

    Each is taken as its rules were first asked about it, on that day and with its money as it stood; catalog, agreements and the
    directory are those of today. Both policies see the same, so that what differs is the policy's doing.
    """
    found = validations.placed(session, after, until, most + 1)
    ids = [order_id for _, order_id in found[:most]]
    orders = {order.order_id: order for order in order_store.load_many(session, ids)}
    validated = validations.of_orders(session, ids)
    policy_of = cache(partial(versions.policy_of, session))
    replayed = [
        _replayed(session, orders[order_id], validated.get(order_id), policy_of, tried)
        for order_id in ids
        if not orders[order_id].taxation.is_pending
    ]
    return replayed, found[most - 1] if len(found) > most else None


def _replayed(
    session: Session, order: Order, known: Validated | None, policy_of: Callable[[int], Policy], tried: Policy
) -> ReplayedOrder:
    then = known.validated_at if known else order.placed_at
    policy = policy_of(known.policy_version) if known else versions.policy_at(session, then)
    credit = CREDIT_NOT_ASKED
    if known:
        credit = Credit(known.is_granted, known.exposure_minor, known.limit_minor, known.card)
    asked = _as_asked(session, order, known.order_version if known else 1)
    return ReplayedOrder(
        order_id=order.order_id,
        number=order.number,
        customer_name=order.customer_name,
        total=asked.totals.total,
        placed_at=order.placed_at,
        policy_version=policy.version,
        is_credit_known=known is not None,
        before=_decided(session, asked, credit, then, policy),
        after=_decided(session, asked, credit, then, tried),
    )


def _as_asked(session: Session, order: Order, version: int) -> Order:
    """The order as it was when its rules were first asked about it."""
    if order.version == version:
        return order
    return next((one.order for one in kept_versions.of_order(session, order) if one.order.version == version), order)


def _decided(session: Session, order: Order, credit: Credit, then: datetime, policy: Policy) -> Decision:
    found = evaluate.evaluate(session, order, credit, then, policy)
    review = plan_review.plan(session, order, found, then)
    steps = review.steps if review is not None else ()
    return decision(found.violations, [hit.rule.code for hit in found.hits], [step.asks for step in steps])
