"""A parcel that its carrier stops on the way comes back by a return: authorized at once, and counted as any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from sqlmodel import Session

from services.kernel.errors import NotFound
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.domain.facts import Fact, Shipment, ShipmentIntercepted
from services.orders.domain.mails import Contacts
from services.orders.domain.returnable import LineToReturn, lines_of, returnable
from services.orders.domain.returns import AUTHORIZED, INTERCEPTED, FeeRule, Return, ReturnLine
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read
from services.orders.policies import versions
from services.orders.returns.changing import logged, notify, show
from services.orders.store import returns as store

log = structlog.get_logger()
_CARRIER = Actor("carrier", "service")
_ROLE = "support"


def check(session: Session, order_id: str, shipment_id: str, caller: Caller, now: datetime) -> None:
    """Refuse to stop a parcel whose goods could not be taken back and credited, as a return of all of them is refused."""
    found = read(session, order_id, caller.scope)
    shipment = found.progress.shipments.get(shipment_id)
    if shipment is None:
        raise NotFound("SHIPMENT_NOT_FOUND", "the order does not know of this shipment yet: try again")
    if shipment.state != "shipped" or shipment.intercepted_at:
        return  # fulfillment says so better
    window = timedelta(days=versions.policy_in_force(session).returns.window_days)
    others = store.of_order(session, order_id)
    asked = [LineToReturn(key, units, INTERCEPTED, shipment_id) for key, units in _units(shipment).items()]
    lines_of(found.order, found.progress, others, asked, now, window)


def take_fact(session: Session, after: OrderAggregate, fact: Fact, contacts: Contacts, now: datetime) -> OrderAggregate:
    """The order with the return of a parcel that was stopped: of all in it that is not coming back already."""
    if not isinstance(fact.detail, ShipmentIntercepted):
        return after
    shipment, others = fact.detail.shipment, store.of_order(session, after.order_id)
    lines = _left(session, after, others, shipment, now)
    if not lines:
        log.warning("fact.nothing_to_return", fact_id=fact.fact_id, shipment_id=shipment.shipment_id)
        return after
    found = _new(session, after, lines, fact.detail, now)
    store.add(session, found)
    shown = show(after, [*others, found])
    why = f"{shipment.number} was stopped on its way"
    note_event(session, after, shown, _CARRIER, "return_authorized", now, why=why, more=logged(found))
    notify(session, after.order, None, found, contacts, now)
    outbox.start_return(session, found, now)
    return shown


def _units(shipment: Shipment) -> Counter[str]:
    """Line id → units of it in the parcel."""
    units: Counter[str] = Counter()
    for line in shipment.lines:
        units[line.line_id] += line.quantity
    return units


def _left(
    session: Session, found: OrderAggregate, others: Sequence[Return], shipment: Shipment, now: datetime
) -> tuple[ReturnLine, ...]:
    window = timedelta(days=versions.policy_in_force(session).returns.window_days)
    units = _units(shipment)
    lines = []
    for line in found.order.lines:
        may = returnable(found.order, found.progress, others, line, now, window, is_stopped=True)
        count = min(units[line.line_id], may.units)
        if count > 0:
            left = ReturnLine(line.line_id, line.sku, line.description, count, INTERCEPTED, shipment.shipment_id)
            lines.append(left)
    return tuple(lines)


def _new(
    session: Session, found: OrderAggregate, lines: tuple[ReturnLine, ...], stopped: ShipmentIntercepted, now: datetime
) -> Return:
    rule = versions.policy_in_force(session).returns
    return Return(
        return_id=new_id("rma"),
        number=store.next_number(session),
        order_id=found.order_id,
        order_number=found.order.number,
        state=AUTHORIZED,
        lines=lines,
        reason=stopped.reason,
        requested_by=stopped.asked_by,
        requested_role=_ROLE,
        requested_at=now,
        currency=found.order.currency,
        fee=FeeRule(Decimal(rule.fee_percent)),
        is_automatic=True,
        decided_at=now,
        valid_until=now + timedelta(days=rule.valid_days),
    )
