"""Where an order stands: independent axes, one derived word, and whom it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.orders.domain.changes import AWAITING_CUSTOMER, AWAITING_WAREHOUSE, ChangeOrder
from services.orders.domain.facts import Shipment
from services.orders.domain.holds import Hold, remaining
from services.orders.domain.order import (
    ACCEPTED,
    CANCELLED,
    CLOSED,
    EXPIRED,
    FAILED,
    IN_REVIEW,
    RECEIVED,
    REJECTED,
    Order,
)
from services.orders.domain.projection import LineQuantities, Progress, is_complete, quantities
from services.orders.domain.reviews import CHANGES_REQUESTED, Review, Step, standing_review

STATUS_WORDS = (
    "received",
    "in_review",
    "awaiting_customer",
    "accepted",
    "on_hold",
    "backordered",
    "in_fulfilment",
    "partially_shipped",
    "shipped",
    "delivered",
    "completed",
    "completed_with_cancellations",
    "rejected",
    "cancelled",
    "expired",
)

INVOICE_AWAITED = "invoice of what has shipped"


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of an order's state, each with its own words; `holds` are the types of the open holds."""

    review: str
    fulfilment: str
    billing: str
    payment: str
    holds: tuple[str, ...]
    returns: str


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """Who must act next (a role, or system, carrier, supplier), since when, until when if there is a date, and on what.

    `due` is a day, or an instant where hours count.
    """

    who: str
    what: str
    since: datetime
    due: date | datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What people are asked about an order: its reviews, oldest first, and the change that is on its way."""

    reviews: tuple[Review, ...] = ()
    change: ChangeOrder | None = None

    @property
    def review(self) -> Review | None:
        """The review that stands."""
        return standing_review(self.reviews)

    @property
    def is_anything(self) -> bool:
        """Whether a review or a change stands."""
        return self.review is not None or self.change is not None


NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything derived at once: what the projection row caches for the overview."""

    status: str
    axes: Axes
    waiting_for: WaitingFor | None


def derive(
    order: Order, progress: Progress, holds: Sequence[Hold], since: datetime, asked: Asked = NOTHING_ASKED
) -> Standing:
    """The standing of an order; `since` is when this could have begun, keep an earlier one with `keep_since`."""
    lines = tuple(quantities(order, progress).values())
    axes = Axes(
        review=_review(order),
        fulfilment=_fulfilment(order, lines),
        billing=_billing(lines),
        payment=_payment(lines, progress),
        holds=tuple(hold.hold_type for hold in remaining(holds)),
        returns="none",
    )
    waiting = _waits_for_people(holds, asked) or _waiting_for(order, progress, lines, since)
    return Standing(_status(order, axes, lines, progress, asked), axes, None if order.has_ended else waiting)


def keep_since(standing: Standing, earlier: WaitingFor | None) -> Standing:
    """The same standing, waiting since the earlier instant when it still waits for the same."""
    now = standing.waiting_for
    if now is None or earlier is None or (now.who, now.what) != (earlier.who, earlier.what):
        return standing
    return replace(standing, waiting_for=replace(now, since=earlier.since))


def _review(order: Order) -> str:
    """received, in_review, accepted, rejected, withdrawn or expired; an order cancelled later stays accepted."""
    if order.phase in (RECEIVED, IN_REVIEW, REJECTED, EXPIRED):
        return order.phase
    return "accepted" if order.cleared_at is not None or order.phase in (ACCEPTED, CLOSED) else "withdrawn"


def _fulfilment(order: Order, lines: Sequence[LineQuantities]) -> str:
    if order.phase == CLOSED:
        return "closed"
    wanted = sum(line.wanted for line in lines)
    for reached, whole, part in (
        (sum(line.delivered for line in lines), "delivered", ""),
        (sum(line.shipped for line in lines), "fully_shipped", "part_shipped"),
        (sum(line.released for line in lines), "fully_released", "part_released"),
        (sum(line.allocated for line in lines), "allocated", "allocated"),
    ):
        if wanted and reached >= wanted:
            return whole
        if reached and part:
            return part
    return "unrouted"


def _billing(lines: Sequence[LineQuantities]) -> str:
    invoiced = sum(line.invoiced for line in lines)
    if not invoiced:
        return "none"
    return "full" if all(line.invoiced >= line.wanted for line in lines) else "part"


def _payment(lines: Sequence[LineQuantities], progress: Progress) -> str:
    """unpaid, part, paid or over; paid only once everything is billed and every invoice is settled."""
    bills = progress.invoices.values()
    if sum(bill.open_minor for bill in bills) < 0:
        return "over"
    if _billing(lines) == "full" and all(bill.is_settled for bill in bills):
        return "paid"
    return "part" if any(bill.paid_minor for bill in bills) else "unpaid"


def _status(order: Order, axes: Axes, lines: Sequence[LineQuantities], progress: Progress, asked: Asked) -> str:
    if order.phase in (RECEIVED, REJECTED, CANCELLED, EXPIRED):
        return order.phase
    if order.phase == FAILED:
        return "cancelled"
    if order.phase == IN_REVIEW and asked.change is not None and asked.change.state == AWAITING_CUSTOMER:
        return "awaiting_customer"
    if axes.holds:
        return "on_hold"
    if order.phase == IN_REVIEW:
        return "in_review"
    if order.phase == CLOSED or is_complete(order, progress):
        return "completed_with_cancellations" if any(line.cancelled for line in lines) else "completed"
    return _fulfilment_word(axes, lines)


def _fulfilment_word(axes: Axes, lines: Sequence[LineQuantities]) -> str:
    words = {
        "delivered": "delivered",
        "fully_shipped": "shipped",
        "part_shipped": "partially_shipped",
        "fully_released": "in_fulfilment",
        "part_released": "in_fulfilment",
    }
    if axes.fulfilment in words:
        return words[axes.fulfilment]
    return "backordered" if any(line.backordered for line in lines) else "accepted"


def _waits_for_people(holds: Sequence[Hold], asked: Asked) -> WaitingFor | None:
    """The customer's answer first, since nobody reviews what may not come; then the holds and the review beside them."""
    change = asked.change
    if change is not None and change.state == AWAITING_CUSTOMER:
        return WaitingFor("customer", "answer to the change proposed", change.proposed_at, change.consent_expires_at)
    if change is not None and change.state == AWAITING_WAREHOUSE:
        return WaitingFor("warehouse", "answer to the recall for a change", change.consented_at or change.proposed_at)
    held = _waits_for_release(remaining(holds))
    reviewed = _waits_for_review(asked.review) if asked.review is not None else None
    return _both(held, reviewed) if held and reviewed else held or reviewed


def _both(one: WaitingFor, other: WaitingFor) -> WaitingFor:
    """What must happen at the same time: everybody named once, since the earlier began; only the other may have an end."""
    who = dict.fromkeys((*one.who.split(", "), *other.who.split(", ")))
    return WaitingFor(", ".join(who), f"{one.what}; {other.what}", min(one.since, other.since), other.due)


def _waits_for_release(standing: Sequence[Hold]) -> WaitingFor | None:
    if not standing:
        return None
    owners = ", ".join(dict.fromkeys(hold.owner_role for hold in standing))
    types = ", ".join(dict.fromkeys(hold.hold_type.replace("_", " ") for hold in standing))
    return WaitingFor(owners, f"release of {types} hold", standing[0].placed_at)


def _waits_for_review(review: Review) -> WaitingFor | None:
    if review.state == CHANGES_REQUESTED:
        since = review.decided_at or review.opened_at
        due = min((step.expires_at for step in review.steps if _is_unanswered(step) and step.expires_at), default=None)
        return WaitingFor("sales_rep", "changes that the review asked for", since, due)
    steps = review.open_steps()
    if not steps:
        return None
    who = ", ".join(dict.fromkeys(step.role for step in steps))
    what = ", ".join(dict.fromkeys(step.question for step in steps))
    since = min(step.opened_at or review.opened_at for step in steps)
    due = min((moment for step in steps if (moment := step.expires_at or step.escalate_at)), default=None)
    subject = " of the change" if review.change_id else ""
    return WaitingFor(who, f"{what}{subject}", since, due)


def _is_unanswered(step: Step) -> bool:
    return step.state == CHANGES_REQUESTED


def _waiting_for(
    order: Order, progress: Progress, lines: Sequence[LineQuantities], since: datetime
) -> WaitingFor | None:
    if order.phase in (RECEIVED, IN_REVIEW):
        return WaitingFor("system", "validation", order.placed_at)
    return _waits_for_goods(order, progress, lines, since) or _waits_for_money(lines, progress, since)


def _waits_for_goods(
    order: Order, progress: Progress, lines: Sequence[LineQuantities], since: datetime
) -> WaitingFor | None:
    at_work = [
        shipment for shipment in progress.shipments.values() if shipment.state in ("released", "picked", "packed")
    ]
    backordered = sum(line.backordered for line in lines)
    who, what, dates = [], [], []
    if at_work:
        who.append("warehouse")
        what += _work_on(at_work)
        dates += [shipment.promised_on for shipment in at_work]
    if backordered:
        who.append("supplier")
        what.append(f"stock for {backordered} units")
        dates += [line.expected_on for line in lines if line.backordered]
    if who:
        return WaitingFor(", ".join(who), "; ".join(what), since, _earliest(dates))
    under_way = [shipment for shipment in progress.shipments.values() if shipment.state == "shipped"]
    if under_way:
        numbers = ", ".join(sorted(shipment.number for shipment in under_way))
        return WaitingFor(
            "carrier", f"delivery of {numbers}", since, _earliest([each.promised_on for each in under_way])
        )
    if sum(line.delivered for line in lines) < sum(line.wanted for line in lines):
        return WaitingFor("system", f"release of {order.number} to its warehouses", since)
    return None


def _work_on(shipments: Sequence[Shipment]) -> list[str]:
    """What is to be done with shipments of goods, then with those of services."""
    words = (("pick, pack and ship", False), ("perform the service", True))
    numbers = {
        word: sorted(shipment.number for shipment in shipments if shipment.is_service == is_service)
        for word, is_service in words
    }
    return [f"{word} {', '.join(found)}" for word, found in numbers.items() if found]


def _waits_for_money(lines: Sequence[LineQuantities], progress: Progress, since: datetime) -> WaitingFor | None:
    if any(line.invoiced < line.wanted for line in lines):
        return WaitingFor("accounting", INVOICE_AWAITED, since)
    unpaid = [bill for bill in progress.invoices.values() if not bill.is_settled]
    if unpaid:
        numbers = ", ".join(sorted(bill.number for bill in unpaid))
        return WaitingFor("customer", f"payment of {numbers}", since, _earliest([bill.due_on for bill in unpaid]))
    return WaitingFor("system", "closing", since)


def _earliest(days: Sequence[str]) -> date | None:
    return min((date.fromisoformat(day) for day in days if day), default=None)
