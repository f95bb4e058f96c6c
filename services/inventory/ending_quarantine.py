"""Ending the quarantine of goods that came back, inside its one transaction; rows are locked in the order of transactions.py."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory import fact_wire
from services.inventory.domain.backorders import Fill
from services.inventory.domain.facts import StockChange
from services.inventory.domain.quarantine import OUTCOMES, RELEASE, Decision
from services.inventory.ranking import serve
from services.inventory.restocking import restock
from services.inventory.store import quarantine as store
from services.inventory.store import stock
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ended:
    """What a decision came to: its id, what the units had cost, how many are still undecided, and what was filled."""

    decision_id: str
    value: Money
    left: int
    fills: tuple[Fill, ...]


def decide(session: Session, decision: Decision, now: datetime) -> Ended:
    """End the quarantine of units: what is released is sellable again at what it had cost, and serves who waits.

    NotFound QUARANTINE_UNKNOWN; Refused MORE_THAN_QUARANTINED.
    """
    stock.take_turns(session, [store.get(session, decision.movement_id).sku])
    found = store.get(session, decision.movement_id)  # as it stands now that nobody else decides
    value, decision_id = found.cost_of(decision.quantity), new_id("mov")
    change = StockChange(decision_id, found.warehouse_id, found.sku, decision.quantity, value)
    fills: tuple[Fill, ...] = ()
    if decision.outcome == RELEASE:
        restock(session, change, found.order_id, found.return_id, now)
        fills = serve(session, [found.sku], now)
    store.add(session, decision_id, decision, value, now)
    detail = fact_wire.movement_fact(OUTCOMES[decision.outcome], change)
    emit_fact(session, detail, order_id=found.order_id, subject_id=decision_id, now=now)
    log.info("quarantine.ended", movement_id=found.movement_id, outcome=decision.outcome, quantity=decision.quantity)
    return Ended(decision_id, value, found.left - decision.quantity, fills)
