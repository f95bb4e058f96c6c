"""Sourcing again what is open of an order, inside one transaction; rows are locked in the order of transactions.py."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory import sourcing
from services.inventory.domain import facts
from services.inventory.domain.adjusting import Carried
from services.inventory.domain.allocation_policy import LINE_COMPLETE
from services.inventory.domain.backorders import Waiting
from services.inventory.domain.outages import RATE
from services.inventory.domain.requests import Demand
from services.inventory.domain.resourcing import Moves, moves, open_units
from services.inventory.queues import fill_queues, filled, notify
from services.inventory.store import adjusting as store
from services.inventory.store import allocation, outages, reservations, stock
from services.kernel.errors import Conflict
from services.kernel.ids import new_id
from services.runtime.outbox import Notice

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Again:
    """An order to be planned again: the demand has no lines, for what is open is known here. `is_to_be_repeated` keeps the requests."""

    demand: Demand
    carried: Carried
    is_to_be_repeated: bool = False


def source_again(session: Session, again: Again, now: datetime) -> tuple[bool, str]:
    """Plan what no shipment carries and what waits; whether that was asked for, and why the units come from where they do now."""
    order_id = again.demand.order_id
    known = reservations.active_of(session, order_id)
    skus = reservations.skus_of(session, known) if known else set()
    stock.take_turns(session, skus)
    asked = outages.open_of(session, order_id)
    if not asked:
        return False, ""
    if reservations.active_of(session, order_id) != known or (known and reservations.skus_of(session, known) != skus):
        raise Conflict("RESERVATION_CHANGED", f"the reservation of order {order_id} was changed: try again")
    if not again.is_to_be_repeated:
        outages.mark_done(session, asked, now)
    if known is None:
        return True, ""
    cause = "; ".join(dict.fromkeys(one.why for one in asked))
    why = plan_open(session, known, again, cause, now)
    if not why and all(one.cause == RATE for one in asked):
        return False, ""  # the carrier does not go to this address
    return True, f"{cause}. {f'Now {why}' if why else 'Nothing of it could be moved'}"


def plan_open(session: Session, known: str, again: Again, cause: str, now: datetime) -> str:
    """Plan what is open of a reservation; gives where it comes from now, or nothing where all stays as it was.

    The caller has the turns of all its SKUs.
    """
    candidates = again.demand.candidates or store.candidates_of(session, known)
    found = open_units(store.holdings(session, again.demand.order_id), again.carried)
    claim, terms = allocation.claim_of(session, known), allocation.policy(session)
    is_whole = claim.delivery(terms) == LINE_COMPLETE
    planned = sourcing.plan(
        session, again.demand, found.lines, candidates, found.serving, found.held, is_whole=is_whole
    )
    if planned.record is not None:
        planned = replace(planned, record=replace(planned.record, cause=cause))
    if again.demand.candidates:
        store.put_candidates(session, known, planned.fillers)
    wanted = moves(found, planned.plan)
    if not wanted.is_none:
        sourcing.keep(session, again.demand.order_id, planned, now)
    placed_at = store.placed_at(session, known)
    place = allocation.place_of(session, terms, claim, placed_at)
    queue = [
        Waiting(
            new_id("bo"),
            known,
            again.demand.order_id,
            one.line_id,
            one.sku,
            one.quantity,
            placed_at,
            planned.fillers,
            place,
        )
        for one in wanted.waits_more
    ]
    _record(session, known, wanted)
    store.wait_more(session, known, queue, terms.version, now)
    if claim.is_order_complete and not wanted.is_none:
        allocation.gather(session, [known], now)
    freed = {part.sku for part in wanted.freed}
    fills = fill_queues(session, freed, now) if freed else ()
    mine = set() if wanted.is_none else {Notice(facts.RESERVED, again.demand.order_id, known)}
    notify(session, mine | {one for one in filled(fills) if one.order_id != again.demand.order_id}, now)
    log.info(
        "reservation.sourced_again",
        order_id=again.demand.order_id,
        moved=sum(part.quantity for part in wanted.freed),
        short=sum(line.quantity for line in wanted.waits_more),
    )
    return "" if wanted.is_none else planned.why


def _record(session: Session, known: str, wanted: Moves) -> None:
    """Free first: a unit may move from one line of the order to another in the same warehouse."""
    freed = {(part.sku, part.warehouse_id): 0 for part in wanted.freed}
    for part in wanted.freed:
        freed[part.sku, part.warehouse_id] += part.quantity
    held = {(part.sku, part.warehouse_id): 0 for part in wanted.held}
    for part in wanted.held:
        held[part.sku, part.warehouse_id] += part.quantity
    store.let_go(session, known, wanted.freed)
    stock.free(session, freed)
    stock.hold(session, held)
    reservations.hold(session, known, wanted.held)
    store.wait_less(session, known, wanted.waits_less)
