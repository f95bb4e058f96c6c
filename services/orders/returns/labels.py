"""What the label of a return says: where its goods were sent, and the warehouse that they left from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlmodel import Session

from services.kernel.errors import Refused
from services.orders.domain.order import Address
from services.orders.domain.projection import Progress
from services.orders.domain.returns import REQUESTED, Return
from services.orders.order import aggregate
from services.orders.store import returns as store


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """A return whose goods may come, where they were sent, and the warehouse that most of them left from; empty when nobody knows."""

    found: Return
    comes_from: Address
    warehouse_id: str


def read(session: Session, reference: str) -> LabelFacts:
    """The facts of a label. NotFound RETURN_UNKNOWN, Refused RETURN_HAS_NO_LABEL while none of its goods may come."""
    return_id, order_id = store.find_id(session, reference)
    found = store.get(session, return_id)
    if why := _missing(found):
        raise Refused("RETURN_HAS_NO_LABEL", f"{found.number} has no label: {why}")
    kept = aggregate.read(session, order_id)
    return LabelFacts(found, kept.order.ship_to, warehouse_of(found, kept.progress))


def _missing(found: Return) -> str:
    """Why a return has no label; empty where it has one."""
    if found.state == REQUESTED:
        return "it has one once it is authorized"
    if found.is_intercepted:
        return "its goods were stopped on their way, and their carrier brings them"
    return "" if found.is_to_be_sent else "none of its goods are awaited"


def warehouse_of(found: Return, progress: Progress) -> str:
    """The warehouse that most of its units left from, of the shipments that it names where it does."""
    wanted = {line.line_id: line for line in found.lines}
    units: Counter[str] = Counter()
    for shipment in progress.shipments.values():
        for line in shipment.lines:
            named = wanted.get(line.line_id)
            if named and named.shipment_id in ("", shipment.shipment_id) and not shipment.is_service:
                units[shipment.warehouse_id] += min(line.quantity, named.quantity)
    return max(units, key=lambda one: (units[one], one), default="")
