"""Closing a warehouse for a while: orders that have units there are sourced again, and when it is over it serves who waits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory import fact_wire, transactions
from services.inventory.domain.outages import OUTAGE, RATE, Outage, SourcingRequest, check_end, why
from services.inventory.store import outages as store
from services.inventory.store import stock, warehouses
from services.kernel.errors import Conflict, NotFound, Refused
from services.kernel.ids import new_id
from services.runtime.facts import emit_fact
from services.runtime.sessions import wake_after_commit

log = structlog.get_logger()

ASKED = "sourcing_requested"
"""What is called out, so that the orders are told at once."""
BATCH = 50
"""Orders that one transaction tells, at most."""


def declare(session: Session, wanted: Outage, now: datetime) -> Outage:
    """Close the warehouse and ask for every order that holds units there to be sourced again. Refused WAREHOUSE_CLOSED."""
    check_end(wanted.ends_at, now)
    # nobody reserves there between the look and the closing
    stock.take_turns(session, warehouses.skus_of(session, wanted.warehouse_id))
    place = warehouses.find(session, wanted.warehouse_id)
    if place is None:
        raise NotFound("WAREHOUSE_UNKNOWN", f"there is no warehouse {wanted.warehouse_id!r}: put it first")
    if not place.is_active:
        raise Refused(
            "WAREHOUSE_CLOSED", f"{place.name} is closed already: open it first to give its outage another end"
        )
    warehouses.put(session, replace(place, is_active=False))
    holders = store.holders(session, place.warehouse_id)
    outage = replace(wanted, order_count=len(holders))
    store.add(session, outage)
    sentence = why(outage, place.name)
    asked = [SourcingRequest(new_id("srq"), order, OUTAGE, place.warehouse_id, sentence) for order in holders]
    store.ask(session, asked, now)
    wake_after_commit(session, ASKED)
    log.info("outage.declared", warehouse_id=place.warehouse_id, outage_id=outage.outage_id, orders=len(holders))
    return outage


def end(session: Session, warehouse_id: str, now: datetime) -> Outage:
    """Open a warehouse before its time. Refused NO_OUTAGE."""
    outage = store.lasting(session, warehouse_id)
    if outage is None:
        raise Refused("NO_OUTAGE", f"no outage of {warehouse_id} lasts: it is open, or closed by its master data")
    _open(session, outage, now)
    return replace(outage, ended_at=now)


def _open(session: Session, outage: Outage, now: datetime) -> None:
    place = warehouses.find(session, outage.warehouse_id)
    assert place is not None, "an outage is of a warehouse"
    transactions.put_warehouse(session, replace(place, is_active=True), now)
    log.info("outage.ended", warehouse_id=outage.warehouse_id, outage_id=outage.outage_id)


def ask_for_rates(session: Session, places: Collection[str], now: datetime) -> int:
    """Have orders sourced again that wait for what these warehouses could not send to them before; how many there are."""
    beside = store.waiting_beside(session, places)
    sentence = "a carrier goes from {} to more places now"
    asked = [SourcingRequest(new_id("srq"), order, RATE, "", sentence.format(place)) for order, place in beside]
    store.ask(session, asked, now)
    if asked:
        wake_after_commit(session, ASKED)
        log.info("sourcing.rates_came", orders=len(asked))
    return len(asked)


def has_work(session: Session, now: datetime) -> bool:
    """Whether end_due() or notify() has anything to do."""
    return bool(store.over(session, now) or store.unnotified(session, 1))


def end_due(session: Session, now: datetime) -> bool:
    """Open a warehouse whose outage is over by the clock; whether there was one."""
    due = store.over(session, now)
    if due:
        _open(session, due[0], now)
    return bool(due)


def notify(session: Session, now: datetime) -> bool:
    """Tell orders that they are to be sourced again, BATCH of them; whether there were any."""
    unnotified = store.unnotified(session, BATCH)
    if not unnotified:
        return False
    if not store.mark_notified(session, unnotified, now):
        raise Conflict("SOURCING_NOTIFIED", "another process has told some of these orders: the next batch goes on")
    for one in sorted(unnotified, key=lambda each: each.order_id):
        detail = fact_wire.sourcing_fact(one)
        emit_fact(session, detail, order_id=one.order_id, subject_id=one.sourcing_request_id, now=now)
    return True
