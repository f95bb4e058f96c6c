"""Invoicing orders before they ship, inside the caller's transaction: whole once they are accepted, and revenue as they ship."""

from datetime import date, datetime

from sqlmodel import Session

from services.billing import crediting, invoicing, what_fits
from services.billing.domain import at_order as domain
from services.billing.domain.at_order import DUE, INVOICED, OVER, OrderToInvoice
from services.billing.domain.billable import GoodsToBill, OrderToBill
from services.billing.domain.charging import BilledSoFar
from services.billing.domain.credit_notes import CreditAsked, CreditNote
from services.billing.domain.invoices import Invoice
from services.billing.domain.recognized import recognition_postings
from services.billing.store import at_order as store
from services.billing.store import blocks, credit, invoices, reversals
from services.billing.store import ledger as ledger_store
from services.billing.wire import Shipped
from services.kernel.money import Money
from services.runtime import sessions

_CANCELED = "the order was canceled before it shipped"


def keep(session: Session, of: OrderToBill, now: datetime) -> None:
    """Keep that an order is to be invoiced as it stands, today; what of it is invoiced already is not again."""
    credit.take_or_open(session, of.order.customer_id, of.order.currency)
    store.put(session, _kept(of, sessions.business_day(session, now), DUE), now)


def invoice_due(session: Session, of: OrderToBill, now: datetime) -> Invoice | None:
    """Invoice what is not invoiced of an order that is due; None where somebody was quicker, or a newer version is to be billed."""
    order = of.order
    credit.take_or_open(session, order.customer_id, order.currency)
    known = store.find(session, order.order_id)
    oldest = blocks.least_version(session, order.order_id, now)
    if known is None or known.state != DUE or of.version < max(known.version, oldest):
        return None
    if what_fits.is_in_part(session, order.order_id):
        return None
    store.set_state(session, order.order_id, INVOICED)
    units = domain.units_left(order, invoices.billed_so_far(session, order.order_id, order.currency))
    return invoicing.post(session, GoodsToBill(of, (), units, known.invoice_on), now) if units else None


def leave(session: Session, shipped: Shipped, now: datetime) -> Invoice | None:
    """A shipment becomes revenue, once; gives the last invoice of its order, which is made now where nobody has made it.

    None for one that never left. Of an order that waits for room under a limit for the rest of it, no more is invoiced than what has shipped.
    """
    order, currency = shipped.of.order, shipped.of.order.currency
    credit.take_or_open(session, order.customer_id, currency)
    if reversals.find(session, shipped.shipment_id) is not None:
        return None
    if not store.has_shipped(session, shipped.shipment_id):
        before = store.shipped_so_far(session, order.order_id, currency)
        _invoice_shipped(session, shipped, before, now)
        deferred = store.revenue(session, order.order_id, currency).deferred
        recognition = domain.recognize(order, shipped.shipment_id, shipped.quantities, before, deferred)
        store.add(session, recognition, now)
        ledger_store.post(session, recognition_postings(recognition), now)
    return invoices.of_order(session, order.order_id)[-1]


def end(session: Session, order_id: str, now: datetime) -> list[CreditNote]:
    """An order has ended early: nothing more of it is invoiced, and what is, is credited.

    Of one that has shipped in part nothing is credited here: what its customer owes is for people to say.
    """
    known = store.find(session, order_id)
    if known is None:
        return []
    credit.take_or_open(session, known.customer_id, known.currency)
    store.set_state(session, order_id, OVER)
    if store.shipments_of_orders(session, [order_id]):
        return []
    nothing = Money.zero(known.currency)
    asked = CreditAsked({}, nothing, nothing, is_all=True, reason_code="other", reason=_CANCELED)
    return [
        crediting.post(session, invoice, asked, "", now)
        for one in invoices.of_order(session, order_id)
        if (invoice := crediting.taken(session, one.invoice_id)).credited < invoice.total
    ]


def _invoice_shipped(session: Session, shipped: Shipped, before: BilledSoFar, now: datetime) -> None:
    """Invoice what has shipped before its order was invoiced: no more than that by a version that is not the newest."""
    of, order_id = shipped.of, shipped.of.order.order_id
    so_far = invoices.billed_so_far(session, order_id, of.order.currency)
    units = domain.units_beyond(shipped.quantities, before, so_far)
    known = store.find(session, order_id)
    if known is None:
        known = _kept(of, shipped.shipped_on, DUE)
        store.put(session, known, now)
    if not units:
        return
    is_newest = of.version >= max(known.version, blocks.least_version(session, order_id, now))
    if is_newest and not what_fits.is_in_part(session, order_id):
        units = domain.units_left(of.order, so_far) or units  # refused as bill() is where the order has not as many
        store.set_state(session, order_id, INVOICED)
    invoicing.post(session, GoodsToBill(of, (), units, shipped.shipped_on), now)


def _kept(of: OrderToBill, day: date, state: str) -> OrderToInvoice:
    order = of.order
    return OrderToInvoice(order.order_id, order.number, order.customer_id, order.currency, of.version, day, state)
