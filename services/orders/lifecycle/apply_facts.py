"""The intake of facts: keep each once, project it, log it, and tell the people and the workflow whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.orders.approvals import money, promise_ledger
from services.orders.changes import apply, overtaken
from services.orders.domain import mails, projection
from services.orders.domain.credit_facts import CardProblem, CreditGranted
from services.orders.domain.fact_details import expected_in, invoices_in, shipments_in
from services.orders.domain.facts import (
    KNOWN_KINDS,
    SHIPMENT_DELIVERED,
    SHIPMENT_EXCEPTION,
    STOCK_EXPECTED,
    DepositInvoiced,
    Fact,
    Invoice,
    InvoiceCredited,
    InvoiceIssued,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
    RecallAnswered,
    Shipment,
    ShipmentChanged,
    ShipmentIntercepted,
    ShipmentReversed,
)
from services.orders.domain.mails import Contacts
from services.orders.domain.masterdata import Customer
from services.orders.domain.owed_refunds import OwedRefund
from services.orders.domain.promise_ledger import SUPPLY_CHANGE
from services.orders.domain.return_facts import ReturnInspected, ReturnReceived
from services.orders.domain.stock_facts import SourcingAsked, StockStanding
from services.orders.lifecycle.record_milestone import notify_backorders
from services.orders.order import cards, exceptions, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_many_for_change, save, stated
from services.orders.returns import intake, intercepted
from services.orders.store import facts as store
from services.orders.store import masterdata

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is known and done with every fact of a transaction."""

    session: Session
    contacts: Contacts
    now: datetime
    customers: Mapping[str, Customer]


def take(session: Session, facts: Sequence[Fact], contacts: Contacts, now: datetime) -> None:
    """Keep and project facts of several orders, those of one order in the order given; a fact that is known changes nothing.

    A kind that nobody here knows, an order that does not exist and a detail that cannot be read are kept and logged: the
    sender has done its part, and no order may fail by it.
    """
    found = read_many_for_change(session, {fact.order_id for fact in facts})
    new = _new(session, facts, found, now)
    about = [found[fact.order_id].order for fact in new if fact.kind in mails.MAILED_KINDS]
    hear = {name for order in about for name in (order.customer_id, order.payer_id)}
    desk = _Desk(session, contacts, now, masterdata.customers_of(session, hear))
    changed = dict(found)
    for fact in new:
        changed[fact.order_id] = _take(desk, fact, changed[fact.order_id])
    save(session, [after for order_id, after in changed.items() if after is not found[order_id]])


def _new(session: Session, facts: Sequence[Fact], found: Mapping[str, OrderAggregate], now: datetime) -> list[Fact]:
    """Keep all; gives those that were not kept before and tell something of an order."""
    with_state = [(fact, _state(fact, found)) for fact in facts]
    unseen = store.keep(session, with_state, now)
    new = []
    for fact, state in with_state:
        if fact.fact_id not in unseen:
            continue
        unseen.remove(fact.fact_id)  # of one that comes twice in a batch, the first counts
        if state == "projected":
            new.append(fact)
        else:
            log.warning("fact.not_projected", fact_id=fact.fact_id, kind=fact.kind, source=fact.source, state=state)
    return new


def _state(fact: Fact, found: Mapping[str, OrderAggregate]) -> str:
    if fact.kind not in KNOWN_KINDS:
        return "unknown"
    return "projected" if fact.order_id in found else "orphaned"


def _take(desk: _Desk, fact: Fact, before: OrderAggregate) -> OrderAggregate:
    """The order's aggregate behind the fact; the same one when the fact cannot be read."""
    try:
        progress = projection.apply(before.progress, fact)
    except InvalidArgument as unreadable:
        store.mark(desk.session, fact.fact_id, "unreadable")
        log.warning("fact.not_projected", fact_id=fact.fact_id, kind=fact.kind, reason=unreadable.reason)
        return before
    return _act_on(desk, fact, before, progress)


def _act_on(desk: _Desk, fact: Fact, before: OrderAggregate, progress: projection.Progress) -> OrderAggregate:
    session, contacts, now = desk.session, desk.contacts, desk.now
    actor = Actor(fact.source, "service")
    after = replace(before, progress=progress)
    if isinstance(fact.detail, RecallAnswered):
        after = apply.recall_answered(session, after, fact.detail, actor, contacts, now)
    if fact.source == "fulfillment":
        after = overtaken.end_if_overtaken(session, after, actor, contacts, now)
    if fact.kind == STOCK_EXPECTED:
        moved = promise_ledger.moved(session, before, after, now)
        after = promise_ledger.promise(session, moved, SUPPLY_CHANGE, contacts, now) if moved != after else after
    if fact.kind == SHIPMENT_DELIVERED and isinstance(fact.detail, ShipmentChanged):
        promise_ledger.deliver(session, before, after, fact.detail, now)
    after = intake.take_fact(session, after, fact, contacts, now)
    after = intercepted.take_fact(session, after, fact, contacts, now)
    after = stated(after, now)
    note_event(session, before, after, actor, fact.kind, now, why=_why(fact), more=_more(fact))
    if fact.source == "fulfillment":
        exceptions.follow_shipments(session, before.progress, progress, fact, now)
    _notify_people(desk, fact, before, after)
    if progress.held_minor != before.progress.held_minor:
        exceptions.follow_deposit(session, after.order, progress.held_minor, now)
    after = _follow_money(desk, fact, after)
    after = notify_backorders(session, after, contacts, now)
    for name in projection.signals(before.order, before.progress, progress, fact):
        outbox.signal(
            session,
            fact.order_id,
            name,
            now,
            fact_id=fact.fact_id,
            subject_id=fact.subject_id,
            is_complete=isinstance(fact.detail, StockStanding) and fact.detail.is_complete,
        )
    return after


def _more(fact: Fact) -> dict[str, str]:
    """What is kept with the event beside what it changed: why a ship confirm was reversed too, for the company's own people."""
    if isinstance(fact.detail, ShipmentReversed | ShipmentIntercepted):
        return {"fact_id": fact.fact_id, "reason": fact.detail.reason}
    return {"fact_id": fact.fact_id}


def _follow_money(desk: _Desk, fact: Fact, after: OrderAggregate) -> OrderAggregate:
    """Holds on the order's money go when it comes and come back when it is taken off; an older fact than the newest does nothing."""
    if isinstance(fact.detail, PaymentReversed):
        money.note_returned(desk.session, after, fact.detail, desk.now)
    elif isinstance(fact.detail, PaymentReceived | InvoiceCredited | InvoiceWrittenOff):
        money.note_settled(desk.session, after, fact.detail, desk.now)
    elif isinstance(fact.detail, CardProblem):
        money.note_card_problem(desk.session, after, fact.detail, desk.now)
    elif isinstance(fact.detail, OwedRefund):
        money.note_refund(desk.session, after, fact.detail, desk.now)
    if after.progress.credit_sequence != fact.sequence:
        return after
    if isinstance(fact.detail, CreditGranted):
        return money.came(desk.session, after, desk.contacts, desk.now)
    if isinstance(fact.detail, PaymentReversed):
        return money.went(desk.session, after, fact.detail, desk.contacts, desk.now)
    return after


def _notify_people(desk: _Desk, fact: Fact, before: OrderAggregate, after: OrderAggregate) -> None:
    if fact.kind not in mails.MAILED_KINDS or _is_known_exception(fact, before):
        return
    order = before.order
    customer, payer = desk.customers[order.customer_id], desk.customers.get(order.payer_id)
    is_last = projection.completes_delivery(before.order, before.progress, after.progress)
    parties = mails.Parties(customer, payer or customer)
    mail = mails.mail_of(
        fact,
        order,
        parties,
        desk.contacts,
        is_last_delivery=is_last,
        progress=after.progress,
        is_by_card=isinstance(fact.detail, InvoiceIssued) and cards.is_charged(desk.session, order),
    )
    if mail is not None:
        outbox.mail(desk.session, order, mail, desk.now)


def _is_known_exception(fact: Fact, before: OrderAggregate) -> bool:
    """Whether people have been told already that the carrier has a problem with the shipment, or it is over."""
    known = before.progress.shipments.get(fact.subject_id)
    is_exception = fact.kind == SHIPMENT_EXCEPTION
    return is_exception and known is not None and (bool(known.exception_at) or known.sequence > fact.sequence)


def _why(fact: Fact) -> str:
    """What the fact is about, as people name it: shipment or invoice numbers, or the days on which missing stock comes."""
    if fact.detail is None:
        return ""
    if isinstance(fact.detail, PaymentReversed) and not fact.detail.is_returned:
        return money.what_went(fact.detail)
    if isinstance(fact.detail, OwedRefund):
        return fact.detail.words
    if isinstance(fact.detail, ReturnReceived | ReturnInspected):
        return fact.detail.number
    if isinstance(fact.detail, SourcingAsked):
        return fact.detail.why
    if isinstance(fact.detail, InvoiceCredited):
        return " by ".join(filter(None, (fact.detail.invoice.number, fact.detail.number)))
    if isinstance(fact.detail, DepositInvoiced):
        return f"{fact.detail.corrects} by {fact.detail.number}" if fact.detail.corrects else fact.detail.number
    if isinstance(fact.detail, ShipmentReversed):
        return ", now ".join(shipment.number for shipment in fact.detail.shipments)
    if isinstance(fact.detail, RecallAnswered) and fact.detail.is_of_count:
        return f"{', '.join(one.number for one in fact.detail.shipments)}, {fact.detail.reason}"
    documents: list[Shipment | Invoice] = [*shipments_in(fact.detail), *invoices_in(fact.detail)]
    days = expected_in(fact.detail) if fact.kind == STOCK_EXPECTED else ()
    return ", ".join([*days, *(document.number for document in documents)])
