"""Exchanges, inside the caller's transaction: cash of a return pays what replaces its goods, and what never came is charged."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import structlog
from sqlmodel import Session

from services.billing import correcting, invoicing
from services.billing.committing import grant_waiting
from services.billing.domain import ledger
from services.billing.domain.billable import Billable, GoodsToBill, OrderToBill
from services.billing.domain.credit_notes import CreditNote, LeftOver
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment, with_held
from services.billing.freeing import free
from services.billing.settling import notify_held, settle
from services.billing.store import billable, credit, credit_notes, deposits, invoices, payments, reversals
from services.billing.store import exchanges as store
from services.billing.store import ledger as ledger_store
from services.billing.wire import Shipped
from services.kernel.errors import Conflict
from services.kernel.invoicing import EXCHANGE, PER_SHIPMENT
from services.kernel.money import Money

log = structlog.get_logger()


def net(
    session: Session, return_id: str, order_id: str, total: Money, request_id: str, now: datetime
) -> list[LeftOver]:
    """Hold what a return's credit notes left on account for the order that replaces its goods, as far as that is not paid."""
    found = []
    for note in credit_notes.of_return(session, return_id):
        for part in note.left_over:
            payment = correcting.taken(session, part.payment_id)
            free_cash = min(part.amount - store.used(session, note.credit_note_id, part), payment.unapplied)
            cash = deposits.cash_of(session, order_id, total.currency)
            amount = min(free_cash, total - cash.given - cash.spared)
            if amount.minor > 0 and not store.held(session, note.credit_note_id, part).minor:
                found.append(_hold(session, note, payment, order_id, amount, request_id, now))
    for customer_id in sorted({payments.by_ids(session, [one.payment_id])[0].customer_id for one in found}):
        settle(session, customer_id, total.currency, now)
        grant_waiting(session, customer_id, total.currency, now)
    return found


def _hold(
    session: Session, note: CreditNote, payment: Payment, order_id: str, amount: Money, request_id: str, now: datetime
) -> LeftOver:
    after = replace(
        payment,
        unapplied=payment.unapplied - amount,
        deposits=with_held(payment.deposits, order_id, amount),
    )
    if not payments.reuse(session, payment, after, now):
        raise Conflict("PAYMENT_USED_MEANWHILE", "the payment was used by somebody else: try again")
    ledger_store.post(session, [ledger.netted_posting(payment, amount, order_id, request_id)], now)
    held = LeftOver(payment.payment_id, amount)
    store.hold(session, note.credit_note_id, held, order_id, now)
    notify_held(session, replace(after, deposits=tuple(one for one in after.deposits if one.order_id == order_id)), now)
    log.info("return.netted", order_id=order_id, return_id=note.return_id, credit_note=note.number)
    return held


def leave(session: Session, shipped: Shipped, now: datetime) -> Billable | None:
    """A shipment in place of returned goods has left: nothing is invoiced but what is known not to have come. None for one that never left."""
    order = shipped.of.order
    credit.take_or_open(session, order.customer_id, order.currency)
    if reversals.find(session, shipped.shipment_id) is not None:
        return None
    store.leave(session, shipped.shipment_id, order.order_id, shipped.quantities, now)
    charge(session, shipped.of, shipped.shipped_on, f"left/{shipped.shipment_id}", now)
    return Billable(
        shipped.shipment_id, order.order_id, order.number, order.customer_id, EXCHANGE, shipped.shipped_on, None,
        Money.zero(order.currency), now, shipped.quantities,
    )  # fmt: skip


def settle_exchange(
    session: Session, of: OrderToBill, charged: Mapping[str, int], today: date, request_id: str, now: datetime
) -> list[Invoice]:
    """It is known which units are charged; those that have left are invoiced now, the others as they leave."""
    order = of.order
    credit.take_or_open(session, order.customer_id, order.currency)
    store.settle(session, order.order_id, charged, now)
    return charge(session, of, today, request_id, now)


def charge(session: Session, of: OrderToBill, day: date, request_id: str, now: datetime) -> list[Invoice]:
    """Invoice what is charged of what has left, a shipment at a time; once all has left, nothing is committed or held for the rest."""
    order = of.order
    if not store.is_settled(session, order.order_id):
        return []
    charged, left = store.charges(session, order.order_id), store.left(session, order.order_id)
    charged.subtract(invoices.billed_so_far(session, order.order_id, order.currency).quantities)
    billed, posted = store.billed_shipments(session, order.order_id), []
    for shipment_id, units in left.items():
        found = {line_id: min(count, charged[line_id]) for line_id, count in units.items() if charged[line_id] > 0}
        if not found or shipment_id in billed:
            continue
        charged.subtract(found)
        posted.append(_invoice(session, GoodsToBill(of, (shipment_id,), found, day), now))
    gone = sum(count for units in left.values() for count in units.values())
    if gone >= sum(line.quantity for line in order.lines):
        free(session, order.order_id, invoices.billed_total(session, order.order_id, order.currency), request_id, now)
    return posted


def _invoice(session: Session, goods: GoodsToBill, now: datetime) -> Invoice:
    """The invoice of what is charged of a shipment, which is billed by that and by no other."""
    order, invoice = goods.of.order, invoicing.post(session, goods, now)
    known = Billable(
        goods.shipment_ids[0], order.order_id, order.number, order.customer_id, PER_SHIPMENT, goods.invoiced_on,
        goods.invoiced_on, invoice.total, now, goods.quantities, invoice_id=invoice.invoice_id,
    )  # fmt: skip
    billable.add(session, known)
    return invoice
