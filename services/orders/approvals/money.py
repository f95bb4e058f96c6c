"""Holds on an order's money: credit or cash that comes releases them by itself, a payment that is taken off it places one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.formats import amount
from services.kernel.money import Money
from services.orders.approvals.holds import (
    HOLDS_RELEASED,
    clear_if_still_right,
    hold_if_changed,
    notify_owners,
    place,
)
from services.orders.domain.credit_facts import CardProblem
from services.orders.domain.exceptions import CAPTURE_FAILED, CARD_PROBLEMS, PAYMENT_RETURNED, REFUND_UNPAID
from services.orders.domain.fact_details import invoices_in
from services.orders.domain.facts import (
    FREED,
    REAPPLIED,
    REFUNDED,
    REVERSED,
    InvoiceCredited,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
)
from services.orders.domain.holds import PAYMENT_REVERSED, is_on_money, remaining
from services.orders.domain.mails import Contacts
from services.orders.domain.order import ACCEPTED, IN_REVIEW
from services.orders.domain.owed_refunds import OwedRefund
from services.orders.order import exceptions, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, restate
from services.orders.policies import versions
from services.orders.policies.engine import Credit
from services.orders.store import holds as store

BILLING = Actor("billing", "service")
PAYMENT_REVERSED_SIGNAL = "payment_reversed"
_CAME = "the money is here"
_SETTLED_BY = {PaymentReceived: "paid", InvoiceCredited: "credited or paid", InvoiceWrittenOff: "written off or paid"}
_WENT = {
    REVERSED: "was reversed",
    REAPPLIED: "was put to another use",
    REFUNDED: "was refunded",
    FREED: "is on account: the order comes to less",
}


def with_money(aggregate: OrderAggregate, credit: Credit, total: Money) -> tuple[OrderAggregate, Credit]:
    """How the order's money stands: what billing refused may have come before anybody was told of the refusal.

    That it came counts once, so that it covers nothing that billing refuses later; the caller saves the aggregate.
    """
    has_come = aggregate.progress.granted_minor == total.minor > 0
    return _counted(aggregate), replace(credit, is_granted=credit.is_granted or has_come)


def _counted(aggregate: OrderAggregate) -> OrderAggregate:
    return replace(aggregate, progress=replace(aggregate.progress, granted_minor=0))


def came(session: Session, before: OrderAggregate, contacts: Contacts, now: datetime) -> OrderAggregate:
    """Release the holds on the order's money; with the last one it goes on as after a release by hand. The caller saves."""
    policy = versions.policy_in_force(session)
    rules = {rule.code: rule.when for rule in policy.rules}
    freed = [hold for hold in remaining(before.holds) if is_on_money(hold, rules)]
    if not freed:
        return before
    ids = [hold.hold_id for hold in freed]
    store.release(session, ids, released_by=BILLING.who, released_role=BILLING.role, note=_CAME, now=now)
    after = replace(_counted(before), holds=store.of_order(session, before.order_id))
    if after.order.phase == ACCEPTED:
        after = hold_if_changed(session, after, contacts, now)
    after = restate(session, clear_if_still_right(session, after, BILLING, contacts, now), now)
    for hold in freed:
        more = {"hold": hold.code, "hold_type": hold.hold_type, "holds_left": len(remaining(after.holds))}
        note_event(session, before, after, BILLING, "hold_released", now, why=_CAME, more=more)
    exceptions.resolve_of_holds(session, ids, _CAME, now)
    if not remaining(after.holds):
        outbox.signal(session, before.order_id, HOLDS_RELEASED, now, subject_id=ids[-1])
    return after


def what_went(taken: PaymentReversed) -> str:
    """What became of money that was taken off an order, in words."""
    return _WENT.get(taken.cause, _WENT[REVERSED])


def note_returned(session: Session, aggregate: OrderAggregate, taken: PaymentReversed, now: datetime) -> None:
    """Invoices that were paid are open again: accounting must know, also of an order that was complete."""
    numbers = ", ".join(invoice.number for invoice in taken.invoices if not invoice.is_settled)
    if not numbers:
        return
    paid = f"{amount(taken.amount)} {taken.amount.currency} paid on {numbers}"
    reason = f"{paid} {what_went(taken)}: {taken.reason}"
    exceptions.open_exception(session, aggregate.order_id, PAYMENT_RETURNED, aggregate.order_id, reason, now)


def note_card_problem(session: Session, aggregate: OrderAggregate, problem: CardProblem, now: datetime) -> None:
    """People must act on what went wrong with the order's card; a kind that a later release knows is in the log alone."""
    if problem.kind in CARD_PROBLEMS:
        exceptions.open_exception(session, aggregate.order_id, problem.kind, problem.subject_id, problem.reason, now)


def note_refund(session: Session, aggregate: OrderAggregate, owed: OwedRefund, now: datetime) -> None:
    """Accounting must act on a refund that the provider does not pay; once it is paid, by whom ever, nobody need."""
    if not owed.is_open:
        exceptions.resolve_by_system(session, REFUND_UNPAID, [owed.refund_id], f"The refund is paid{owed.under}.", now)
    elif owed.is_escalated:
        reason = f"{owed.value} that is owed back to the customer's card is not paid: {owed.reason}."
        exceptions.open_exception(session, aggregate.order_id, REFUND_UNPAID, owed.refund_id, reason, now)


Settling = PaymentReceived | InvoiceCredited | InvoiceWrittenOff


def note_settled(session: Session, aggregate: OrderAggregate, by: Settling, now: datetime) -> None:
    """An invoice that could not be captured, or whose payment was returned, is paid after all, or needs not be."""
    words = _SETTLED_BY[type(by)]
    settled = [invoice.invoice_id for invoice in invoices_in(by) if invoice.is_settled]
    if settled:
        exceptions.resolve_by_system(session, CAPTURE_FAILED, settled, f"The invoice is {words}.", now)
    if aggregate.is_settled:
        exceptions.resolve_by_system(session, PAYMENT_RETURNED, [aggregate.order_id], f"All is {words}.", now)


def went(
    session: Session, before: OrderAggregate, taken: PaymentReversed, contacts: Contacts, now: datetime
) -> OrderAggregate:
    """Hold an order whose goods are no longer paid for, as long as any have not left, and have what is not picked recalled.

    What is on its way to a warehouse is not heard of yet, so its workflow asks the warehouses in any case. The caller saves.
    """
    policy = versions.policy_in_force(session)
    rules = {rule.code: rule.when for rule in policy.rules}
    is_held = any(is_on_money(hold, rules) for hold in remaining(before.holds))
    lines = before.lines().values()
    if is_held or all(line.shipped >= line.wanted for line in lines) or before.order.phase not in (IN_REVIEW, ACCEPTED):
        return before
    reason = (
        f"A payment of {amount(taken.amount)} {taken.amount.currency} {what_went(taken)} ({taken.reason}): "
        "what has not left is not paid for. Ask the customer for another payment; this hold goes by itself when it is here."
    )
    after = place(session, before, PAYMENT_REVERSED, "payment", "accounting", reason, now)
    after = restate(session, after, now)
    note_event(session, before, after, BILLING, "hold_placed", now, why=reason)
    placed = [hold for hold in after.holds if hold not in before.holds]
    notify_owners(session, after, placed, contacts, now)
    outbox.signal(session, before.order_id, PAYMENT_REVERSED_SIGNAL, now, subject_id=placed[0].hold_id)
    return after
