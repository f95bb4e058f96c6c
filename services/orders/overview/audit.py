"""The audit: what breaks an invariant of orders, and how far orders have come, for comparison with the other services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlmodel import Session

from services.orders.approvals import assignees
from services.orders.approvals.assignees import EligibleApprovers
from services.orders.domain.holds import remaining
from services.orders.domain.order import Order
from services.orders.domain.owners import acting_roles, is_somebody
from services.orders.domain.projection import LineQuantities, quantities
from services.orders.domain.reviews import Step
from services.orders.store import audit, exceptions, holds, orders, progress, reviews, waiting
from services.runtime.audit import Finding, finding_of

_NO_DELEGATION_IS_IN_FORCE = datetime.max.replace(tzinfo=UTC)
"""Whoever has handed over may still act: the audit need not know the time."""


def findings(session: Session) -> list[Finding]:
    """Every invariant of orders with who breaks it."""
    rule = "Somebody can act on everything that waits: an open hold, review step or exception."
    return [*audit.findings(session), finding_of("orders.somebody_can_act", rule, list(_unattended(session)))]


def _unattended(session: Session) -> Iterator[str]:
    last = ""
    while order_ids := waiting.waiting_orders(session, after=last):
        last = order_ids[-1]
        loaded = orders.load_many(session, order_ids)
        eligible = assignees.eligible_by_order(session, loaded, _NO_DELEGATION_IS_IN_FORCE)
        held, reviewed = holds.of_orders(session, order_ids), reviews.of_orders(session, order_ids)
        opened = exceptions.open_of_orders(session, order_ids)
        for order in loaded:
            ours = eligible[order.order_id]
            for hold in remaining(held.get(order.order_id, ())):
                if not _is_owned(hold.owner_role, ours):
                    yield f"{order.number}: nobody can release {hold.code}, which waits for {hold.owner_role}"
            for step in (step for review in reviewed.get(order.order_id, ()) for step in review.open_steps()):
                if not _is_taken(step, ours):
                    yield f"{order.number}: nobody can decide {step.step_id}, which asks {step.asks}"
            for found in opened.get(order.order_id, ()):
                if not _is_owned(found.owner_role, ours):
                    yield f"{order.number}: nobody can resolve {found.exception_id}, which waits for {found.owner_role}"


def _is_owned(role: str, eligible: EligibleApprovers) -> bool:
    staff, sales_rep = eligible.staff, eligible.parties.sales_rep
    return is_somebody(acting_roles(role, staff, sales_rep)[-1], staff, sales_rep)


def _is_taken(step: Step, eligible: EligibleApprovers) -> bool:
    """A company without people of its own in the directory knows them by their tokens alone."""
    now = _NO_DELEGATION_IS_IN_FORCE
    return not eligible.staff or bool(eligible.asked(step, now) or eligible.substitutes(step, now))


def reached(session: Session, order_ids: Sequence[str]) -> dict[str, tuple[Order, dict[str, LineQuantities]]]:
    """Order id → the order and its lines' quantities, of those that exist."""
    found = {order.order_id: order for order in orders.load_many(session, order_ids)}
    kept = progress.load_many(session, sorted(found))
    return {order_id: (order, quantities(order, kept[order_id].progress)) for order_id, order in found.items()}
