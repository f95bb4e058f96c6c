"""The clearance: what the order's workflow asks whenever somebody may have decided, and letting an order go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.domain.cancellation import DONE
from services.orders.domain.clearance import Clearance, clearance
from services.orders.domain.holds import is_let_go, is_unpaid, remaining
from services.orders.domain.order import ACCEPTED, CANCELLED, IN_REVIEW
from services.orders.order.aggregate import Actor, OrderAggregate, advance, read
from services.orders.order.charged_fees import ChargedFee, coming_fee
from services.orders.store import holds as hold_store
from services.orders.store import reviews


@dataclass(frozen=True, slots=True)
class Cleared:
    """The clearance of an order with what only its workflow asks: its phase, whether its dates are promised, whether people were
    ever asked, the request to cancel it that waits or that ended it, the hold that a reversed payment placed, whether somebody let
    go a hold on its money, whether it ends without a refund, and what that costs where it was accepted; where nobody has accepted
    it, whether a fee is charged once it is cancelled, for until then it may still be rejected.
    """

    clearance: Clearance
    phase: str
    is_accepted: bool
    was_held: bool
    cancellation_id: str
    unpaid_hold_id: str
    is_money_let_go: bool
    keeps_cash: bool = False
    fee: ChargedFee | None = None
    is_fee_due: bool = False


def read_clearance(session: Session, order_id: str) -> Cleared:
    """The clearance now; NotFound for an order that does not exist."""
    found = read(session, order_id)
    waiting = hold_store.waiting_cancellation(session, order_id)
    is_ending = bool(waiting) or found.order.has_ended
    fee, is_accepted = coming_fee(session, found.order) if waiting else None, found.order.phase == ACCEPTED
    return Cleared(
        of_aggregate(found),
        found.order.phase,
        found.order.accepted_at is not None,
        bool(found.holds or reviews.of_order(session, order_id)),
        waiting or _carried_out(session, found),
        next((hold.hold_id for hold in remaining(found.holds) if is_unpaid(hold)), ""),
        any(is_let_go(hold) for hold in found.holds),
        is_ending and hold_store.keeps_cash(session, order_id),
        fee if is_accepted else None,
        is_fee_due=fee is not None and not is_accepted and not found.order.has_ended,
    )


def _carried_out(session: Session, found: OrderAggregate) -> str:
    """The request that ended the order: whoever carries it out and is interrupted asks again, and goes the same way."""
    if found.order.phase != CANCELLED:
        return ""
    asked = hold_store.cancellations_of(session, found.order_id)
    return next((one.cancellation_id for one in reversed(asked) if one.state == DONE and not one.change_id), "")


def of_aggregate(aggregate: OrderAggregate) -> Clearance:
    """The clearance of an order as it was read, and whom it waits for as its page says."""
    is_held = bool(remaining(aggregate.holds))
    return clearance(aggregate.order, aggregate.asked, aggregate.standing.waiting_for, is_held=is_held)


def clear_if_unblocked(session: Session, aggregate: OrderAggregate, actor: Actor, now: datetime) -> OrderAggregate:
    """Clear an order in review that nothing keeps any more: no open hold, no review that stands, no change on its way.

    Whoever takes the last of them away calls this, in the same transaction; an order that something still keeps stays as it is.
    """
    return advance(session, aggregate, "clear", actor, now) if is_unblocked(aggregate) else aggregate


def is_unblocked(aggregate: OrderAggregate) -> bool:
    """Whether an order in review has nothing left that keeps it, and its tax is known."""
    in_review = aggregate.order.phase == IN_REVIEW and not aggregate.order.taxation.is_pending
    return in_review and not remaining(aggregate.holds) and not aggregate.asked.is_anything
