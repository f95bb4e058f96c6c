"""What the warehouse does with goods that come back, each inside its one transaction; the order's turn is taken first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlmodel import Session

from oms.facts.v1 import facts_pb2
from services.fulfillment.domain import returns as domain
from services.fulfillment.domain.returns import ExpectedReturn, InspectedUnits, Units
from services.fulfillment.domain.shipment import LEFT
from services.fulfillment.store import orders, shipments
from services.fulfillment.store import returns as store
from services.kernel.errors import NotFound
from services.kernel.ids import new_id
from services.runtime.facts import emit_fact

log = structlog.get_logger()


def announce(
    session: Session, expected: ExpectedReturn, now: datetime, *, arrived_in: str = "", received_by: str = ""
) -> ExpectedReturn:
    """Expect goods, and count at once those that are here already; a return that is known stays as it is."""
    orders.claim(session, expected.order_id)
    known = store.find(session, expected.return_id)
    if known is not None:
        return known
    store.add(session, expected, now)
    log.info("return.expected", order_id=expected.order_id, return_id=expected.return_id, number=expected.number)
    if not arrived_in:
        return expected
    counted = {line.line_id: line.quantity for line in expected.lines}
    return receive(session, expected.return_id, counted, arrived_in, received_by, now)


def receive(
    session: Session, reference: str, counted: Units, warehouse_id: str, who: str, now: datetime
) -> ExpectedReturn:
    """Count units that came, and tell of all that has come so far."""
    before = _taken(session, reference)
    after = domain.receive(before, counted)
    came_back = store.received_of(session, before.order_id)
    domain.check_left(before, counted, came_back, _left(session, before.order_id))
    store.count(session, after.return_id, counted, warehouse_id, who, now)
    detail = facts_pb2.ReturnReceived(
        return_id=after.return_id,
        number=after.number,
        lines={line.line_id: facts_pb2.LineReturned(received=line.received) for line in after.lines},
    )
    emit_fact(session, detail, order_id=after.order_id, subject_id=after.return_id, now=now)
    log.info("return.received", order_id=after.order_id, return_id=after.return_id, units=sum(counted.values()))
    return after


def inspect(
    session: Session, reference: str, found: Sequence[InspectedUnits], warehouse_id: str, who: str, now: datetime
) -> tuple[ExpectedReturn, str]:
    """Keep what was found and tell of it; also gives the inspection's id."""
    after, inspection_id = domain.inspect(_taken(session, reference), found), new_id("insp")
    store.add_inspection(session, after.return_id, inspection_id, found, warehouse_id, who, now)
    detail = facts_pb2.ReturnInspected(
        return_id=after.return_id,
        number=after.number,
        inspection_id=inspection_id,
        warehouse_id=warehouse_id,
        inspected_by=who,
        units=[_units(after, one) for one in found],
    )
    emit_fact(session, detail, order_id=after.order_id, subject_id=after.return_id, now=now)
    log.info("return.inspected", order_id=after.order_id, return_id=after.return_id, inspection_id=inspection_id)
    return after, inspection_id


def close(session: Session, return_id: str, now: datetime) -> ExpectedReturn | None:
    """Take no more goods; the return as it stands, None when it was never announced."""
    known = store.find(session, return_id)
    if known is None:
        return None
    orders.claim(session, known.order_id)
    store.close(session, return_id, now)
    log.info("return.closed", order_id=known.order_id, return_id=return_id)
    return store.find(session, return_id)


def _taken(session: Session, reference: str) -> ExpectedReturn:
    """The return, and its order's turn; NotFound RETURN_UNKNOWN."""
    known = store.find(session, reference)
    if known is None:
        raise NotFound("RETURN_UNKNOWN", f"no return {reference[:40]} is expected: check its number")
    orders.claim(session, known.order_id)
    found = store.find(session, known.return_id)
    assert found is not None, "returns are never deleted"
    return found


def _left(session: Session, order_id: str) -> Counter[str]:
    """Line id → units of the order that have left."""
    gone = [each for each in shipments.of_order(session, order_id) if each.state in LEFT]
    units: Counter[str] = Counter()
    for line in (line for each in gone for line in each.lines):
        units[line.line_id] += line.quantity
    return units


def _units(expected: ExpectedReturn, one: InspectedUnits) -> facts_pb2.InspectedUnits:
    return facts_pb2.InspectedUnits(
        line_id=one.line_id,
        sku=expected.line(one.line_id).sku,
        quantity=one.quantity,
        grade=one.grade,
        disposition=one.disposition,
        responsible=one.responsible,
        note=one.note,
    )
