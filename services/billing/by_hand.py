"""Invoicing by hand, inside the caller's transaction: shipments that wait become an invoice before their policy makes one, or a draft of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from sqlmodel import Session

from services.billing import invoicing, previewing
from services.billing.domain.billable import (
    Billable,
    OrderToBill,
    check_waiting,
    goods_of,
    parts_of,
    units_of,
)
from services.billing.domain.drafts import Draft, check_alone, check_approver, move
from services.billing.domain.invoices import Invoice, bill
from services.billing.store import billable, credit, drafts, invoices
from services.kernel.errors import Conflict, NotFound, Refused
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime import sessions
from services.runtime.db import Database

Limits = Mapping[str, Money]
"""Currency → most that one person invoices by hand; empty for no limit."""
_ALL_UNITS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody invoices: these shipments of an order, all that wait where none is named; of them line id → units, or all."""

    shipment_ids: tuple[str, ...] = ()
    units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreviewByHand:
    """An invoice as it would be, and the shipments it would bill."""

    invoice: Invoice
    shipments: tuple[Billable, ...]


def create(session: Session, order: OrderToBill, wanted: Wanted, limits: Limits, now: datetime) -> Invoice:
    """Invoice what is wanted today; Refused SECOND_PERSON_NEEDED beyond the limit, UNITS_NOT_WAITING for more than waits."""
    chosen = _chosen(session, order, wanted.shipment_ids)
    invoice = _post(session, order, chosen, now, units=wanted.units)
    check_alone(invoice.total, limits)
    return invoice


def make_draft(session: Session, order: OrderToBill, shipment_ids: Sequence[str], who: str, now: datetime) -> Draft:
    """A draft that holds these shipments, or all that wait; refused as its invoice would be."""
    wanted = _chosen(session, order, shipment_ids)
    draft = Draft(
        new_id("draft"),
        order.order.order_id,
        order.order.number,
        order.order.customer_id,
        tuple(one.shipment_id for one in wanted),
        _amount(session, order, wanted),
        who,
        now,
    )
    if not drafts.add(session, draft):
        raise Conflict("SHIPMENT_TAKEN_MEANWHILE", "somebody else took a shipment just now: look at what is left")
    return draft


def approve(session: Session, order: OrderToBill, draft: Draft, who: str, limits: Limits, now: datetime) -> Draft:
    """The draft, approved for the amount that it comes to now; beyond the limit not by who made it."""
    state = move(draft, "approve")
    amount = _amount(session, order, billable.of_draft(session, draft.draft_id))
    check_approver(replace(draft, amount=amount), who, limits)
    return _moved(session, draft, replace(draft, state=state, amount=amount, approved_by=who, approved_at=now))


def post(session: Session, order: OrderToBill, draft: Draft, who: str, now: datetime) -> tuple[Draft, Invoice]:
    """The draft, and the invoice that it has become; Refused DRAFT_OUTDATED for another amount than was approved."""
    state = move(draft, "post")
    wanted = billable.of_draft(session, draft.draft_id)
    invoice = _post(session, order, wanted, now, draft.draft_id)
    if invoice.total != draft.amount:
        raise Refused(
            "DRAFT_OUTDATED",
            f"draft {draft.draft_id} was approved for {draft.amount} and comes to {invoice.total} by now: discard it, make another one",
        )
    posted = replace(draft, state=state, ended_by=who, ended_at=now, invoice_id=invoice.invoice_id)
    return _moved(session, draft, posted), invoice


def discard(session: Session, draft: Draft, who: str, now: datetime) -> Draft:
    """The draft, which lets its shipments go."""
    state = move(draft, "discard")
    drafts.release(session, draft.draft_id, sessions.business_day(session, now))
    return replace(_moved(session, draft, replace(draft, state=state, ended_by=who, ended_at=now)), shipment_ids=())


def preview(database: Database, order: OrderToBill, wanted: Wanted, now: datetime, draft_id: str = "") -> PreviewByHand:
    """What invoicing them now would give; it leaves no trace."""

    def act(session: Session) -> PreviewByHand:
        chosen = _chosen(session, order, wanted.shipment_ids, draft_id)
        invoice = _post(session, order, chosen, now, draft_id, wanted.units)
        billed = tuple(one for one in chosen if one.shipment_id in invoice.bills)
        return PreviewByHand(replace(invoice, invoice_id="", number=""), billed)

    return previewing.tried(database, act)


def _amount(session: Session, order: OrderToBill, wanted: Sequence[Billable]) -> Money:
    """What an invoice of them comes to now."""
    so_far = invoices.billed_so_far(session, order.order.order_id, order.order.currency)
    return bill(order.order, units_of(wanted), so_far).charges.total


def _moved(session: Session, before: Draft, after: Draft) -> Draft:
    if not drafts.move(session, before, after):
        raise Conflict("DRAFT_MOVED_MEANWHILE", "somebody else approved, posted or discarded it just now: look at it")
    return after


def _post(
    session: Session,
    order: OrderToBill,
    wanted: Sequence[Billable],
    now: datetime,
    draft_id: str = "",
    units: Mapping[str, int] = _ALL_UNITS,
) -> Invoice:
    today = sessions.business_day(session, now)
    parts = parts_of(wanted, units) if units else {one.shipment_id: one.quantities for one in wanted}
    goods = goods_of(order, wanted, parts, today)
    return invoicing.issue_waiting(session, goods, now, draft_id)


def _chosen(session: Session, order: OrderToBill, shipment_ids: Sequence[str], draft_id: str = "") -> list[Billable]:
    """The shipments that are named, or all of the order that wait and are free."""
    order_id, number = order.order.order_id, order.order.number
    credit.take_or_open(session, order.order.customer_id, order.order.currency)
    if not shipment_ids:
        waiting = [one for one in billable.waiting_of_orders(session, [order_id]) if not one.draft_id]
        if not waiting:
            raise _nothing_waits(session, order_id, number)
        return waiting
    found = {one.shipment_id: one for one in billable.of_shipments(session, shipment_ids) if one.order_id == order_id}
    missing = sorted(set(shipment_ids) - set(found))
    if missing:
        raise NotFound(
            "SHIPMENT_NOT_BILLABLE",
            f"nothing of order {number} has left with {', '.join(missing[:5])}: check the shipment",
        )
    check_waiting(found.values(), invoicing.numbers_of(session, found.values()), draft_id)
    return sorted(found.values(), key=lambda one: one.position)


def _nothing_waits(session: Session, order_id: str, number: str) -> Refused:
    billed = invoices.numbers_of_order(session, order_id)
    held = sorted({one.draft_id for one in billable.waiting_of_orders(session, [order_id])})
    if held:
        return Refused(
            "HELD_BY_DRAFT", f"what has left of order {number} is held by draft {', '.join(held)}: post or discard it"
        )
    if billed:
        return Refused(
            "ALREADY_INVOICED",
            f"all that has left of order {number} is on {', '.join(billed)} already: nothing is left to invoice",
        )
    return Refused("NOTHING_TO_INVOICE", f"nothing of order {number} has left: it is invoiced once something has")
