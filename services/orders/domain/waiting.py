"""What an order waits for: the one place that decides it; everybody else reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.kernel.invoicing import PERIODIC
from services.orders.domain.changes import AWAITING_CUSTOMER, AWAITING_WAREHOUSE, ChangeOrder
from services.orders.domain.facts import Shipment
from services.orders.domain.holds import Hold, remaining
from services.orders.domain.order import IN_REVIEW, RECEIVED, Order
from services.orders.domain.projection import LineQuantities, Progress
from services.orders.domain.reviews import CHANGES_REQUESTED, Review, Step, standing_review
from services.orders.domain.silence import is_with_support

INVOICE_AWAITED = "invoice of what has shipped"


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """Who must act next (a role, or system, carrier, supplier), since when, until when if there is a date, and on what.

    `due` is a day, or an instant where hours count.
    """

    who: str
    what: str
    since: datetime
    due: date | datetime | None = None

    @property
    def text(self) -> str:
        """In one line: "approver: manager approval"."""
        return f"{self.who}: {self.what}"


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


def waiting_for(
    order: Order,
    progress: Progress,
    lines: Sequence[LineQuantities],
    holds: Sequence[Hold],
    asked: Asked,
    since: datetime,
) -> WaitingFor | None:
    """Whom an order waits for: people first, then validation, goods and money; None once it has ended.

    `since` is when that could have begun. Every list, page, mail and workflow reads the answer from the order's standing.
    """
    if order.has_ended:
        return None
    people = _waits_for_people(holds, asked)
    if people is not None:
        return people
    if order.phase in (RECEIVED, IN_REVIEW):
        return WaitingFor("system", "validation", order.placed_at)
    return _waits_for_goods(order, progress, lines, since) or _waits_for_money(order, lines, progress, since)


def _waits_for_people(holds: Sequence[Hold], asked: Asked) -> WaitingFor | None:
    """The customer's answer first, since nobody reviews what may not come; then the holds and the review beside them."""
    change = asked.change
    if change is not None and change.state == AWAITING_CUSTOMER:
        return WaitingFor("customer", "answer to the change proposed", change.proposed_at, change.consent_expires_at)
    if change is not None and change.state == AWAITING_WAREHOUSE:
        return _waits_for_warehouse(change)
    held = _waits_for_release(remaining(holds))
    reviewed = _waits_for_review(asked.review) if asked.review is not None else None
    return _both(held, reviewed) if held and reviewed else held or reviewed


def _waits_for_warehouse(change: ChangeOrder) -> WaitingFor:
    """The warehouse's word on a recall; support, too, once the warehouse has kept silent for long."""
    why = "closing" if change.is_closing else "cancellation" if change.is_cancellation else "change"
    what = f"answer to the recall for a {why}"
    since = change.recall_asked_at or change.consented_at or change.proposed_at
    late = "overdue " if change.silence_steps else ""
    who = "warehouse, support" if is_with_support(change.silence_steps) else "warehouse"
    return WaitingFor(who, f"{late}{what}", since, change.answer_due_at)


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
    uncovered = sum(line.wanted - line.released - line.backordered for line in lines)
    if progress.rest_minor and uncovered > 0:
        who.append("accounting")
        what.append(f"room under the credit limit for {uncovered} units")
    if who:
        return WaitingFor(", ".join(who), "; ".join(what), since, _earliest(dates))
    under_way = [
        shipment
        for shipment in progress.shipments.values()
        if shipment.state == "shipped" and not shipment.intercepted_at
    ]
    if under_way:
        numbers = ", ".join(sorted(shipment.number for shipment in under_way))
        return WaitingFor(
            "carrier", f"delivery of {numbers}", since, _earliest([each.promised_on for each in under_way])
        )
    if sum(line.arrived for line in lines) < sum(line.wanted for line in lines):
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


def _waits_for_money(
    order: Order, lines: Sequence[LineQuantities], progress: Progress, since: datetime
) -> WaitingFor | None:
    if progress.exchange is not None and progress.exchange.is_open:
        return WaitingFor("customer", "the goods that it replaces", since)
    if progress.exchange is None and any(line.invoiced < line.wanted for line in lines):
        if order.invoicing in PERIODIC:
            return WaitingFor("system", f"{order.invoicing} {INVOICE_AWAITED}", since)
        return WaitingFor("accounting", INVOICE_AWAITED, since)
    unpaid = [bill for bill in progress.invoices.values() if not bill.is_settled]
    if unpaid:
        numbers = ", ".join(sorted(bill.number for bill in unpaid))
        return WaitingFor("customer", f"payment of {numbers}", since, _earliest([bill.due_on for bill in unpaid]))
    return WaitingFor("system", "closing", since)


def _earliest(days: Sequence[str]) -> date | None:
    return min((date.fromisoformat(day) for day in days if day), default=None)
