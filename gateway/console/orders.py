"""An order's page: where it stands, what it is waiting on, its lines, its timeline, and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from sqlmodel import Session

from gateway.console import timeline
from gateway.console.credit_notes import credit_notes_of
from gateway.console.deposit_invoices import deposit_invoices_of
from gateway.console.lines import FirstLine, shown_lines
from gateway.console.order_money import order_money
from gateway.console.pages import render
from gateway.console.people import MACHINE, owners, people_of
from gateway.console.readable import Readable
from gateway.console.sourcing import sourcing_of
from gateway.console.visitor import Visitor, VisitorOf
from gateway.console.warehouses import warehouse_names
from gateway.http.orders.promises import PromiseShape, shape
from gateway.http.plumbing.deps import ConsoleSettings
from gateway.http.plumbing.inputs import IDENTITY
from services.orders.approvals import assignees, kept_promises
from services.orders.domain.cancellation import REQUESTED, Cancellation
from services.orders.domain.cancelled_units import unshipped_lines
from services.orders.domain.changes import AWAITING_WAREHOUSE, ChangeOrder
from services.orders.domain.events import Event
from services.orders.domain.exceptions import BusinessException
from services.orders.domain.facts import Detail
from services.orders.domain.feedback import Feedback
from services.orders.domain.holds import Hold
from services.orders.domain.promise_ledger import PromiseFilter
from services.orders.domain.returnable import never
from services.orders.domain.withholding import touched_lines
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
_MOST_PROMISES = 21


@dataclass(frozen=True, slots=True)
class Read:
    """All that is read for an order's page; `owners` is role → names, `asked` open step → names of its approvers."""

    page: OrderPage
    log: list[Event]
    fact_details: dict[str, Detail]
    made: tuple[ChangeOrder, ...]
    given: Feedback | None
    exceptions: list[BusinessException]
    owners: dict[str, str]
    asked: dict[str, str]
    promises: list[PromiseShape]

    @property
    def holds(self) -> list[Hold]:
        """The holds that still stand."""
        return [hold for hold in self.page.aggregate.holds if hold.is_open]


@router.get("/orders/{number}")
def order_page(who: VisitorOf, number: NumberOf, first: FirstLine = 1) -> Response:
    """The whole order."""
    with who.deps.database.reading() as session:
        read = _read(session, who, number)
    found = read.page.aggregate
    return render(
        "order.html",
        who,
        order=found.order,
        standing=found.standing,
        up_next=found.standing.waiting_for,
        lines=shown_lines(found, first),
        read=read,
        promises=read.promises,
        money=order_money(who, found.order, found.progress),
        pending=None if is_cancelling(read.page) else found.asked.change,
        changing=changing(found),
        made=[change for change in reversed(read.made) if not change.is_pending],
        review=read.page.reviews[-1] if read.page.reviews else None,
        may_cancel=may_cancel(who, read.page),
        may_close=may_close(who, read.page),
        may_change=may_change(read.page) and who.may("POST /orders/{number}/change"),
        may_return=may_return(read.page) and who.may("POST /orders/{number}/return"),
        returns=read.page.returns,
        replaces=read.page.replaces,
        cancelling=cancelling(read.page),
        recalled=recalled(read.page),
        kept=kept_by_warehouses(read.page),
        workflow=workflow_address(who.deps.console, found.order.number),
        **_written(who, read),
    )


def _read(session: Session, who: Visitor, number: str) -> Read:
    page = aggregate.page(session, number, who.caller.scope)
    order_id = page.aggregate.order_id
    wrong = exceptions.list_open(session, order_id)
    held = {hold.owner_role for hold in page.aggregate.holds if hold.is_open}
    return Read(
        page=page,
        log=read_history(session, order_id, who.caller.scope, limit=_MOST_EVENTS),
        fact_details=details_of(session, order_id),
        made=tuple(change_orders_of(session, order_id)),
        given=feedback.find(session, order_id),
        exceptions=wrong,
        owners=owners(session, held | {each.owner_role for each in wrong}),
        asked=_asked(session, page.aggregate, who.deps.clock()),
        promises=_promises(session, who, order_id),
    )


def _promises(session: Session, who: Visitor, order_id: str) -> list[PromiseShape]:
    """What was promised of the order, the newest first."""
    wanted = PromiseFilter(order_id=order_id)
    found = kept_promises.listed(session, wanted, who.caller.scope, limit=_MOST_PROMISES)
    if not found:
        return []
    today = kept_promises.today(session, who.deps.clock()).isoformat()
    return [shape(one, today) for one in found]


def _written(who: Visitor, read: Read) -> dict[str, Any]:
    """The timeline and the documents it leads to, with the names of people and warehouses."""
    found = read.page.aggregate
    shipments = sorted(found.progress.shipments.values(), key=lambda each: each.number)
    invoices = sorted(found.progress.invoices.values(), key=lambda each: each.number)
    people = people_of(who.deps.database, {who.name, *_logins(read)})
    warehouses = warehouse_names(who.deps, shipments)
    documents = {each.number for each in shipments} | {each.number for each in invoices}
    readable = Readable(who.deps.console.formats)
    context = timeline.Context(
        found.order, people, warehouses, read.fact_details, _rules(read.page), documents, readable
    )
    return {
        "people": people,
        "warehouses": warehouses,
        "shipments": shipments,
        "invoices": invoices,
        "credit_notes": credit_notes_of(who, found.order, invoices),
        "deposit_invoices": deposit_invoices_of(who, found.order),
        "sourcing": sourcing_of(who, found, warehouses),
        "entries": timeline.entries(read.log, context),
    }


def _asked(session: Session, found: OrderAggregate, now: datetime) -> dict[str, str]:
    """Open step → the names of those who may decide it; nothing is looked up where no review is open."""
    steps = found.asked.review.open_steps() if found.asked.review else ()
    if not steps:
        return {}
    eligible = assignees.eligible_by_order(session, [found.order], now)[found.order_id]
    return {step.step_id: ", ".join(one.name or one.sub for one in eligible.asked(step, now)) for step in steps}


def _rules(page: OrderPage) -> dict[str, str]:
    """Code of a rule → what it says of this order."""
    asked = (
        pair for review in page.reviews for step in review.steps for pair in zip(step.codes, step.reasons, strict=False)
    )
    return {**dict(asked), **{each.code: each.message for each in page.violations}}


def _logins(read: Read) -> set[str]:
    """The logins of everybody who is named on the page."""
    steps = [step for review in read.page.reviews for step in review.steps]
    decided = [one for step in steps for one in step.decisions]
    return {
        read.page.aggregate.order.placed_by,
        read.given.given_by if read.given else "",
        *(sub for step in steps for sub in step.escalated_to),
        *(event.who for event in read.log if event.role != MACHINE),
        *(one.decided_by for one in decided),
        *(one.acting_for for one in decided),
        *(change.proposed_by for change in read.made),
    }


def changing(found: OrderAggregate) -> frozenset[str]:
    """Numbers of the shipments that have not left and carry lines that a pending change touches."""
    if found.asked.change is None:
        return frozenset()
    touched = touched_lines(found.order, found.asked.change)
    return frozenset(
        each.number
        for each in found.progress.shipments.values()
        if each.state in ("released", "picked", "packed") and any(line.line_id in touched for line in each.lines)
    )


def may_cancel(who: Visitor, page: OrderPage) -> bool:
    """Whether to offer it: something is left to cancel. The page behind it says what else stands against it."""
    return who.may("POST /orders/{number}/cancel") and is_cancellable(page)


def is_cancellable(page: OrderPage) -> bool:
    """Whether the order lives and units of it have not left the warehouses."""
    found = page.aggregate
    is_anything_left = any(there.units for there in unshipped_lines(found.order, found.progress).values())
    return not found.order.has_ended and is_anything_left


def may_close(who: Visitor, page: OrderPage) -> bool:
    """Whether to offer it: something has shipped, and something is left that may be dropped."""
    has_shipped = any(line.shipped for line in page.aggregate.progress.lines.values())
    return has_shipped and who.may("POST /orders/{number}/close") and is_cancellable(page)


def may_change(page: OrderPage) -> bool:
    """Whether to offer a change: something is still to leave. The page behind it says what else stands against it."""
    found = page.aggregate
    has_left = all(line.shipped >= line.wanted for line in found.lines().values())
    return not (has_left or found.order.has_ended or found.asked.change is not None or is_cancelling(page))


def recalled(page: OrderPage) -> tuple[str, ChangeOrder] | None:
    """The cancellation that waits for a warehouse's word, and its change; None for any other."""
    change = page.aggregate.asked.change
    if change is None or not change.is_cancellation or change.state != AWAITING_WAREHOUSE:
        return None
    asked = (one.cancellation_id for one in page.cancellations if one.change_id == change.change_id)
    return next(((cancellation_id, change) for cancellation_id in asked), None)


def may_return(page: OrderPage) -> bool:
    """Whether to offer a return: goods that may come back have shipped and are not back. The page behind it says what stands against it."""
    found = page.aggregate
    reached = found.lines()
    return any(
        reached[line.line_id].shipped > reached[line.line_id].returned and never(found.order, line) is None
        for line in found.order.lines
    )


def cancelling(page: OrderPage) -> Cancellation | None:
    """The request to cancel or to close that is being carried out."""
    return next((asked for asked in page.cancellations if asked.state == REQUESTED), None)


def is_cancelling(page: OrderPage) -> bool:
    """Whether a request to cancel or to close is being carried out."""
    return cancelling(page) is not None


def kept_by_warehouses(page: OrderPage) -> list[Cancellation]:
    """Cancellations of a part, and closings, of which a warehouse kept some or all, as long as the order goes on."""
    asked = page.cancellations if not page.aggregate.order.has_ended else ()
    return [one for one in asked if one.change_id and one.settled_reason]


def workflow_address(settings: ConsoleSettings, number: str) -> str:
    """The order's workflow in the Temporal UI; empty when there is none to link to."""
    if not settings.temporal_ui_url:
        return ""
    workflow = quote(order_workflow_id(number), safe="")
    return (
        f"{settings.temporal_ui_url.rstrip('/')}/namespaces/{quote(settings.temporal_namespace)}/workflows/{workflow}"
    )
