"""Issuing invoices, inside the caller's transaction: number, books, credit and facts move together.

An order that is invoiced at order is at_order's; the invoice itself is posted here all the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.committing import grant_waiting
from services.billing.domain import ledger
from services.billing.domain.billable import Billable, Block, GoodsToBill, amount_of, check_waiting, units_of
from services.billing.domain.consolidated import ShareOf
from services.billing.domain.credit import check_account, counts_as_committed, is_on_terms, moved_by_invoice
from services.billing.domain.facts import InvoiceIssued
from services.billing.domain.invoices import Bill, BillableOrder, Invoice, bill, schedule
from services.billing.domain.payouts import due_from_channel
from services.billing.settling import settle
from services.billing.store import billable, blocks, credit, deliveries, invoices, parts, reversals, sales, waits
from services.billing.store import ledger as ledger_store
from services.billing.wire import Shipped
from services.kernel.errors import Conflict
from services.kernel.ids import invoice_number, new_id
from services.kernel.invoicing import PER_DELIVERY, PERIODIC, invoiced_on
from services.kernel.money import Money
from services.kernel.terms import DELIVERY, INSTALLMENTS
from services.runtime.business_days import next_business_day
from services.runtime.facts import emit_fact

_BLOCKED_FOR = timedelta(minutes=1)
"""Longer than the call takes that makes an order's next version: who asked for the block and died blocks nobody for ever."""


def issue(session: Session, shipped: Shipped, now: datetime) -> Invoice | Billable | None:
    """The one invoice of a shipment: posted now, or as it stands when it was posted before; or how it waits for that by its policy.

    None for one that never left.
    """
    order = shipped.of.order
    credit.take_or_open(session, order.customer_id, order.currency)
    if reversals.find(session, shipped.shipment_id) is not None:
        return None
    known = billable.find(session, shipped.shipment_id)
    if known is not None:
        return _as_it_stands(session, known)
    arrived = deliveries.awaited(session, shipped.shipment_id) if shipped.policy == PER_DELIVERY else None
    day = invoiced_on(shipped.policy, shipped.shipped_on, arrived)
    if day is None or shipped.policy in PERIODIC:
        return _keep(session, shipped, day, now)
    goods = GoodsToBill(shipped.of, (shipped.shipment_id,), shipped.quantities, day)
    invoice = post(session, goods, now)
    billable.add(session, replace(_billable(shipped, day, now), amount=invoice.total, invoice_id=invoice.invoice_id))
    return invoice


def issue_waiting(session: Session, goods: GoodsToBill, now: datetime, draft_id: str = "") -> Invoice:
    """One invoice of shipments that have waited until now. Refused ALREADY_INVOICED, HELD_BY_DRAFT; each is billed once.

    Conflict ORDER_CHANGES while a newer version of the order than this one is being made.
    """
    check_free(session, goods, now, draft_id)
    invoice = post(session, goods, now)
    put_on(session, goods, invoice.invoice_id, draft_id)
    return invoice


def check_free(session: Session, goods: GoodsToBill, now: datetime, draft_id: str = "") -> None:
    """Take the account, and refuse what cannot be invoiced now, as issue_waiting() does."""
    order = goods.of.order
    credit.take_or_open(session, order.customer_id, order.currency)
    if goods.of.version < blocks.least_version(session, order.order_id, now):
        raise Conflict("ORDER_CHANGES", f"order {order.number} is being changed: try again in a moment")
    wanted = billable.of_shipments(session, goods.shipment_ids)
    check_waiting(wanted, numbers_of(session, wanted), draft_id)
    if not goods.parts and units_of(wanted) != goods.quantities:  # a part was invoiced since they were read
        raise _taken_meanwhile()


def put_on(session: Session, goods: GoodsToBill, invoice_id: str, draft_id: str = "") -> None:
    """Put the shipments of these goods on their invoice, each unit once."""
    if goods.parts:
        _put_parts_on(session, goods, invoice_id)
    elif not billable.put_on(session, goods.shipment_ids, invoice_id, draft_id):
        raise _taken_meanwhile()


def _put_parts_on(session: Session, goods: GoodsToBill, invoice_id: str) -> None:
    """Units of shipments are on an invoice; a shipment of which nothing is left is, too, and the others wait with the rest."""
    if not parts.take(session, invoice_id, goods.parts):
        raise _taken_meanwhile()
    order, so_far = goods.of.order, invoices.billed_so_far(session, goods.of.order.order_id, goods.of.order.currency)
    for one in billable.of_shipments(session, goods.parts):
        if one.quantities:
            parts.set_amount(session, one.shipment_id, bill(order, one.quantities, so_far).charges.total)
        elif not billable.put_on(session, [one.shipment_id], invoice_id):
            raise _taken_meanwhile()


def _taken_meanwhile() -> Conflict:
    return Conflict("SHIPMENT_TAKEN_MEANWHILE", "somebody else invoiced a shipment just now: look at what is left")


def block(session: Session, asked: Block, now: datetime) -> Mapping[str, int]:
    """Keep an order from being invoiced by an older version than the one that is being made; line id → units invoiced so far."""
    credit.take_or_open(session, asked.customer_id, asked.currency)
    blocks.put(session, asked.order_id, asked.least_version, now + _BLOCKED_FOR)
    return invoices.billed_so_far(session, asked.order_id, asked.currency).quantities


def numbers_of(session: Session, shipments: Iterable[Billable]) -> dict[str, str]:
    """Invoice id → number, of what bills these shipments."""
    ids = {one.invoice_id for one in shipments if one.invoice_id}
    return {key: one.number for key, one in invoices.by_ids(session, ids).items()} if ids else {}


def _as_it_stands(session: Session, known: Billable) -> Invoice | Billable:
    return invoices.by_ids(session, [known.invoice_id])[known.invoice_id] if known.invoice_id else known


def _keep(session: Session, shipped: Shipped, day: date | None, now: datetime) -> Billable:
    """Keep a shipment whose invoice comes later; refused as its invoice would be."""
    order = shipped.of.order
    so_far = invoices.billed_so_far(session, order.order_id, order.currency)
    waiting = billable.waiting_of_orders(session, [order.order_id])
    amount = amount_of(order, shipped.quantities, waiting, so_far)
    billable.add(session, replace(_billable(shipped, day, now), amount=amount))
    kept = billable.find(session, shipped.shipment_id)
    assert kept is not None, "it has just been added"
    return kept


def _billable(shipped: Shipped, day: date | None, now: datetime) -> Billable:
    order = shipped.of.order
    return Billable(
        shipped.shipment_id,
        order.order_id,
        order.number,
        order.customer_id,
        shipped.policy,
        shipped.shipped_on,
        day,
        Money.zero(order.currency),
        now,
        shipped.quantities,
    )


def post(session: Session, goods: GoodsToBill, now: datetime) -> Invoice:
    """The next invoice, of these goods; the customer's account is taken, and the caller puts the shipments on it."""
    posted = enter(session, goods, None, now)
    _notify_issued(session, posted, now)
    return settled(session, [posted], now)[0]


@dataclass(frozen=True, slots=True)
class Posted:
    """An invoice that has just been posted, and line id → units invoiced so far over the whole order."""

    invoice: Invoice
    invoiced: Mapping[str, int]


def enter(session: Session, goods: GoodsToBill, of: ShareOf | None, now: datetime) -> Posted:
    """An invoice in the books, under the next number, or as a share of one; who calls tells of it, and settles it."""
    order = goods.of.order
    before = invoices.billed_so_far(session, order.order_id, order.currency)
    billed = bill(order, goods.quantities, before)
    sequence = of.sequence if of else invoices.next_sequence(session)
    invoice = _dated(session, order, _invoice(goods, billed, sequence))
    if of is not None:
        invoice = replace(invoice, consolidated_id=of.consolidated_id, share=of.share)
    invoices.add(session, invoice, sequence, now)
    ledger_store.post(session, ledger.invoice_postings(invoice, order.settlement), now)
    _move_credit(session, invoice)
    if order.settlement is not None:
        sales.add(session, order, order.settlement, due_from_channel(invoice.charges, order.settlement), now)
    waits.remove_billed(session, order.order_id, before.charges.total + invoice.total)
    so_far = Counter(before.quantities)
    so_far.update({line.line_id: line.quantity for line in invoice.lines})
    return Posted(invoice, so_far)


def settled(session: Session, posted: Sequence[Posted], now: datetime) -> list[Invoice]:
    """These invoices of one customer, paid by what cash came before: a prepaid order is settled the moment it is billed."""
    first = posted[0].invoice
    paid = settle(session, first.customer_id, first.total.currency, now)
    if any(one.discount_taken for one in paid.values()):  # the customer owes less than was committed
        grant_waiting(session, first.customer_id, first.total.currency, now)
    return [paid.get(one.invoice.invoice_id, one.invoice) for one in posted]


def _invoice(goods: GoodsToBill, billed: Bill, sequence: int) -> Invoice:
    order = goods.of.order
    return Invoice(
        new_id("inv"),
        invoice_number(sequence),
        order.order_id,
        order.number,
        order.customer_id,
        goods.shipment_ids[0] if goods.shipment_ids else "",
        goods.invoiced_on,
        goods.invoiced_on,
        billed.lines,
        billed.charges,
        Money.zero(order.currency),
        billed.charges.total if order.settlement is not None else Money.zero(order.currency),
        terms=order.payment_terms.text if is_on_terms(order.payment_method) else "",
        calendar=order.calendar,
        header=goods.of.header,
        parts=billed.parts,
        shipment_ids=goods.shipment_ids if goods.parts or len(goods.shipment_ids) > 1 else (),
        bills_parts=bool(goods.parts),
        threshold=order.threshold,
    )


def _dated(session: Session, order: BillableOrder, invoice: Invoice) -> Invoice:
    """The invoice with its due dates and its discount, by the terms of its order; one made at order waits for no delivery."""
    delivered_on = invoice.invoiced_on if invoice.is_at_order else None
    if order.payment_terms.kind == DELIVERY and not invoice.is_at_order:
        delivered_on = _arrived(session, invoice.bills)
    return dated(order, invoice, delivered_on)


def dated(order: BillableOrder, invoice: Invoice, delivered_on: date | None) -> Invoice:
    """The invoice with the due dates and the discount of its order's terms, where its goods arrived on a day."""
    move = partial(next_business_day, order.calendar)
    dues = schedule(order, invoice.total, invoice.invoiced_on, move, delivered_on)
    is_parted = order.payment_terms.kind == INSTALLMENTS
    return replace(
        invoice,
        due_on=dues.installments[0].due_on,
        installments=dues.installments if is_parted else (),
        early=dues.early,
    )


def _arrived(session: Session, shipment_ids: Sequence[str]) -> date | None:
    """The day on which the last of these shipments arrived; None while one is on its way."""
    days = [day for one in sorted(shipment_ids) if (day := deliveries.awaited(session, one))]
    return max(days) if len(days) == len(shipment_ids) else None


def _move_credit(session: Session, invoice: Invoice) -> None:
    """What was committed becomes receivable, so that the order counts once; the rest of the invoice is owed all the same."""
    commitment = credit.commitment(session, invoice.order_id)
    check_account(commitment, invoice.customer_id, invoice.total.currency)
    moved = moved_by_invoice(commitment, invoice.total)
    if commitment is not None:
        credit.invoice_commitment(session, commitment, moved)
        moved = moved if counts_as_committed(commitment.payment_method) else moved - moved
    credit.move(session, invoice.customer_id, committed=-moved, receivable=invoice.open)


def _notify_issued(session: Session, posted: Posted, now: datetime) -> None:
    """No other one came in between, for the account is taken."""
    invoice = posted.invoice
    issued = fact_wire.invoice_fact(InvoiceIssued(invoice, posted.invoiced))
    emit_fact(session, issued, order_id=invoice.order_id, subject_id=invoice.invoice_id, now=now)
