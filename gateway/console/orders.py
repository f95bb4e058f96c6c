"""An order's page: where it stands, what it is waiting on, its lines, its timeline, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from gateway.console import timeline
from gateway.console.pages import render
from gateway.console.people import MACHINE, people_of
from gateway.console.readable import Readable
from gateway.console.visitor import Visitor, VisitorOf
from gateway.console.warehouses import warehouse_names
from gateway.http.plumbing.deps import ConsoleSettings
from gateway.http.plumbing.inputs import IDENTITY
from services.kernel.money import Money
from services.orders.domain.cancellation import REQUESTED
from services.orders.domain.changes import ChangeOrder
from services.orders.domain.events import Event
from services.orders.domain.mails import Promise
from services.orders.domain.order import Line, Order
from services.orders.domain.projection import LineQuantities, Progress
from services.orders.lifecycle import feedback
from services.orders.lifecycle.order_facts import details_of
from services.orders.order import aggregate, exceptions
from services.orders.order.aggregate import OrderAggregate, OrderPage
from services.orders.order.change_orders import change_orders_of
from services.orders.order.history import read_history
from workflows.names import order_workflow_id

router = APIRouter()

NumberOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]
_MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line, how far it has come, and day → units promised for it, the earliest first, units without a day last."""

    line: Line
    reached: LineQuantities
    promises: dict[str, int]


@dataclass(frozen=True, slots=True)
class MoneyShown:
    """What the order comes to, and what of it is billed, paid and due."""

    total: Money
    invoiced: Money
    paid: Money

    @property
    def due(self) -> Money:
        """Billed and not paid."""
        return self.invoiced - self.paid


@router.get("/orders/{number}")
def order_page(who: VisitorOf, number: NumberOf) -> Response:
    """The whole order."""
    with who.deps.database.reading() as session:
        page = aggregate.page(session, number, who.caller.scope)
        log = read_history(session, page.aggregate.order_id, who.caller.scope, limit=_MOST_EVENTS)
        told = details_of(session, page.aggregate.order_id)
        made = change_orders_of(session, page.aggregate.order_id)
        given = feedback.find(session, page.aggregate.order_id)
        wrong = exceptions.list_open(session, page.aggregate.order_id)
    order, progress = page.aggregate.order, page.aggregate.progress
    shipments = sorted(progress.shipments.values(), key=lambda each: each.number)
    invoices = sorted(progress.invoices.values(), key=lambda each: each.number)
    people = people_of(who.deps.database, {who.name, *_logins(page, log, made), given.given_by if given else ""})
    warehouses = warehouse_names(who.deps, shipments)
    documents = {each.number for each in shipments} | {each.number for each in invoices}
    readable = Readable(who.deps.console.formats)
    context = timeline.Context(order, people, warehouses, told, _rules(page), documents, readable)
    return render(
        "order.html",
        who,
        people=people,
        warehouses=warehouses,
        up_next=page.aggregate.standing.waiting_for,
        order=order,
        standing=page.aggregate.standing,
        lines=shown_lines(page.aggregate),
        holds=[hold for hold in page.aggregate.holds if hold.is_open],
        exceptions=wrong,
        violations=page.violations,
        entries=timeline.entries(log, context),
        shipments=shipments,
        invoices=invoices,
        money=money_of(order, progress),
        pending=page.aggregate.asked.change,
        made=[change for change in reversed(made) if not change.is_pending],
        given=given,
        review=page.reviews[-1] if page.reviews else None,
        may_cancel=may_cancel(who, page),
        may_change=may_change(page) and who.may("POST /orders/{number}/change"),
        is_cancelling=is_cancelling(page),
        workflow=workflow_address(who.deps.console, order.number),
        sequence=page.event_sequence,
    )


def _rules(page: OrderPage) -> dict[str, str]:
    """Code of a rule → what it says of this order."""
    asked = (
        pair for review in page.reviews for step in review.steps for pair in zip(step.codes, step.reasons, strict=False)
    )
    return {**dict(asked), **{each.code: each.message for each in page.violations}}


def _logins(page: OrderPage, log: Sequence[Event], made: Sequence[ChangeOrder]) -> set[str]:
    """The logins of everybody who is named on the page."""
    decided = [one for review in page.reviews for step in review.steps for one in step.decisions]
    escalated = [sub for review in page.reviews for step in review.steps for sub in step.escalated_to]
    return {
        page.aggregate.order.placed_by, *escalated, *(event.who for event in log if event.role != MACHINE),
        *(one.decided_by for one in decided), *(one.acting_for for one in decided),
        *(change.proposed_by for change in made),
    }  # fmt: skip


def shown_lines(found: OrderAggregate) -> list[ShownLine]:
    """Lines in order, each with its quantities and promises."""
    reached = found.lines()
    return [ShownLine(line, reached[line.line_id], _promised(found.promises, line)) for line in found.order.lines]


def _promised(promises: Sequence[Promise], line: Line) -> dict[str, int]:
    by_day: dict[str, int] = {}
    for promise in sorted(promises, key=lambda each: each.promised_on or "~"):
        if promise.line_id == line.line_id:
            by_day[promise.promised_on] = by_day.get(promise.promised_on, 0) + promise.quantity
    return by_day


def money_of(order: Order, progress: Progress) -> MoneyShown:
    """What is billed and paid so far."""
    invoiced = sum(invoice.total_minor for invoice in progress.invoices.values())
    paid = sum(invoice.paid_minor for invoice in progress.invoices.values())
    return MoneyShown(order.totals.total, Money(invoiced, order.currency), Money(paid, order.currency))


def may_cancel(who: Visitor, page: OrderPage) -> bool:
    """Whether to offer it: nothing has left yet. The page behind it says what else stands against it."""
    return who.may("POST /orders/{number}/cancel") and is_cancellable(page)


def is_cancellable(page: OrderPage) -> bool:
    """Whether the order lives and nothing of it has left the warehouses."""
    return not page.aggregate.order.has_ended and not any(line.shipped for line in page.aggregate.lines().values())


def may_change(page: OrderPage) -> bool:
    """Whether to offer a change: something is still to leave. The page behind it says what else stands against it."""
    found = page.aggregate
    has_left = all(line.shipped >= line.wanted for line in found.lines().values())
    return not (has_left or found.order.has_ended or found.asked.change is not None or is_cancelling(page))


def is_cancelling(page: OrderPage) -> bool:
    """Whether a request to cancel is being carried out."""
    return any(asked.state == REQUESTED for asked in page.cancellations)


def workflow_address(settings: ConsoleSettings, number: str) -> str:
    """The order's workflow in the Temporal UI; empty when there is none to link to."""
    if not settings.temporal_ui_url:
        return ""
    workflow = quote(order_workflow_id(number), safe="")
    return (
        f"{settings.temporal_ui_url.rstrip('/')}/namespaces/{quote(settings.temporal_namespace)}/workflows/{workflow}"
    )
