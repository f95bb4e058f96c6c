"""What warehouses tell of goods that come back: counted, and inspected."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlmodel import Session

from services.orders.domain.facts import Fact
from services.orders.domain.mails import Contacts
from services.orders.domain.return_facts import ReturnInspected, ReturnReceived
from services.orders.domain.returns import Inspection, Return, with_inspection, with_received
from services.orders.order import outbox
from services.orders.order.aggregate import OrderAggregate
from services.orders.returns.changing import notify, show
from services.orders.store import returns as store

log = structlog.get_logger()


def take_fact(session: Session, after: OrderAggregate, fact: Fact, contacts: Contacts, now: datetime) -> OrderAggregate:
    """The order with what a fact tells of one of its returns; the order is taken, and whoever asks for it saves it.

    A return that is not the order's is logged, and nothing follows.
    """
    detail = fact.detail
    if not isinstance(detail, ReturnReceived | ReturnInspected):
        return after
    returns = store.of_order(session, after.order_id)
    found = next((one for one in returns if one.return_id == detail.return_id), None)
    if found is None:
        log.warning("fact.return_unknown", fact_id=fact.fact_id, return_id=detail.return_id, order_id=after.order_id)
        return after
    changed = _changed(found, detail, now)
    if changed != found:
        store.save(session, found, changed)
        notify(session, after.order, found, changed, contacts, now)
    if isinstance(detail, ReturnInspected):
        outbox.signal_return(session, changed, outbox.RETURN_INSPECTED, now, fact_id=fact.fact_id)
    return show(after, [changed if one is found else one for one in returns])


def _changed(found: Return, detail: ReturnReceived | ReturnInspected, now: datetime) -> Return:
    if isinstance(detail, ReturnReceived):
        return with_received(found, detail.lines)
    inspection = Inspection(detail.inspection_id, detail.warehouse_id, detail.units, detail.inspected_by, now)
    return with_inspection(found, inspection)
