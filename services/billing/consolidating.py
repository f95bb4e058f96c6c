"""Consolidating what several orders of a customer owe for one period, inside the caller's transaction: one number, a share an order."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from services.billing import fact_wire, invoicing
from services.billing.domain.billable import GoodsToBill
from services.billing.domain.consolidated import ShareOf, whole
from services.billing.domain.facts import InvoiceIssued
from services.billing.domain.invoices import Invoice
from services.billing.store import invoices
from services.kernel.ids import new_id
from services.runtime.facts import emit_fact


def issue(session: Session, goods: Sequence[GoodsToBill], now: datetime) -> Invoice:
    """One invoice of the goods of these orders, the oldest order first, which bear the same day and may be on one invoice.

    What waits of each is refused as invoicing.issue_waiting() does, and then nothing of any is invoiced. One order alone has an
    invoice of its own.
    """
    if len(goods) == 1:
        return invoicing.issue_waiting(session, goods[0], now)
    for each in goods:
        invoicing.check_free(session, each, now)
    consolidated_id, sequence = new_id("inv"), invoices.next_sequence(session)
    posted = []
    for share, each in enumerate(goods, 1):
        posted.append(invoicing.enter(session, each, ShareOf(consolidated_id, sequence, share), now))
        invoicing.put_on(session, each, posted[-1].invoice.invoice_id)
    together = whole([one.invoice for one in posted])
    for one in posted:
        issued = fact_wire.invoice_fact(InvoiceIssued(one.invoice, one.invoiced, together))
        emit_fact(session, issued, order_id=one.invoice.order_id, subject_id=one.invoice.invoice_id, now=now)
    return whole(invoicing.settled(session, posted, now))
