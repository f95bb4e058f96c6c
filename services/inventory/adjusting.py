"""What changing an order's reservation does inside its one transaction; rows are locked in the order of transactions.py."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory import ranking, resourcing, sourcing
from services.inventory.domain import facts
from services.inventory.domain.adjusting import Change, Holding, change, serving
from services.inventory.domain.allocation_policy import LINE_COMPLETE, AllocationPolicy
from services.inventory.domain.backorders import Fill, Waiting
from services.inventory.domain.requests import Adjusted, Demand
from services.inventory.queues import Days, fill_queues, filled, notify, notify_moved
from services.inventory.resourcing import Again
from services.inventory.sourcing import Planned
from services.inventory.store import adjusting as store
from services.inventory.store import allocation, reservations, stock
from services.inventory.store.reservations import NewReservation
from services.kernel.errors import Conflict, InvalidArgument
from services.kernel.ids import new_id
from services.runtime.outbox import Notice

log = structlog.get_logger()


def adjust(session: Session, adjusted: Adjusted, now: datetime) -> str:
    """Make what the order holds and waits for what it wants now; what it gives up serves the queue, itself in its own place.

    Gives why the units that it wants more come from there; empty where it wants no more.
    """
    demand = adjusted.demand
    _take_turns(session, demand)
    known = reservations.active_of(session, demand.order_id)
    candidates = demand.candidates or (store.candidates_of(session, known) if known else ())
    holdings = store.holdings(session, demand.order_id)
    wanted = change(demand.lines, holdings, candidates, adjusted.carried)
    if not known and not wanted.added:
        return ""
    terms = allocation.policy(session)
    is_whole = demand.claim.delivery(terms) == LINE_COMPLETE
    planned = sourcing.plan(session, demand, wanted.added, candidates, serving(holdings), is_whole=is_whole)
    reservation_id = known or _open(session, demand, planned, now)
    if known and demand.candidates:
        store.put_candidates(session, known, planned.fillers)
    skus = {line.sku for line in demand.lines} | reservations.skus_of(session, reservation_id)
    days = Days(session, skus)
    claim = replace(demand.claim, is_expedited=allocation.claim_of(session, reservation_id).is_expedited)
    ranking.rank_reservation(session, reservation_id, claim)
    _get(session, reservation_id, replace(demand, claim=claim), planned, terms, now)
    _give_up(session, reservation_id, wanted)
    _gather(session, reservation_id, adjusted, holdings, now)
    why = planned.why
    if known and store.goes_elsewhere(session, known, demand.destination):
        # whoever could send it to the other address need not be cheapest for this one
        again = Again(demand, adjusted.carried)
        why = resourcing.plan_open(session, known, again, "the address was changed", now) or why
    fills = fill_queues(session, skus, now)
    _notify(session, demand.order_id, reservation_id, wanted, fills, now)
    notify_moved(session, ranking.not_filled(days, fills, demand.order_id), now)
    # nobody ships of it meanwhile: the order has its turn at every SKU of its own
    store.close_when_empty(session, reservation_id)
    return why


def _gather(
    session: Session, reservation_id: str, adjusted: Adjusted, holdings: Sequence[Holding], now: datetime
) -> None:
    """An order that ships complete keeps together what it holds until all is there, unless some of it is with a warehouse already."""
    is_gone = bool(adjusted.carried) or any(one.shipped for one in holdings)
    is_gathering = adjusted.demand.claim.is_order_complete and not is_gone
    allocation.set_gathering(session, reservation_id, is_gathering=is_gathering)
    if is_gathering:
        allocation.gather(session, [reservation_id], now)


def _take_turns(session: Session, demand: Demand) -> None:
    """Keep others out of every SKU the order wants or has; Conflict when it got another one in between."""
    skus = {line.sku for line in demand.lines} | _known_skus(session, demand.order_id)
    stock.take_turns(session, skus)
    if not _known_skus(session, demand.order_id) <= skus:
        raise Conflict("RESERVATION_CHANGED", f"the reservation of order {demand.order_id} was changed: try again")


def _known_skus(session: Session, order_id: str) -> set[str]:
    return reservations.skus_of(session, reservations.active_of(session, order_id) or "")


def _open(session: Session, demand: Demand, planned: Planned, now: datetime) -> str:
    if not demand.candidates:
        raise InvalidArgument(
            "WAREHOUSES_MISSING", "costs is empty: name at least one warehouse that can serve the order"
        )
    new = NewReservation(
        new_id("res"),
        demand.order_id,
        demand.placed_at_micros,
        demand.lease_seconds,
        planned.fillers,
        demand.claim,
        demand.destination,
    )
    reservations.create(session, new, now)
    return new.reservation_id


def _get(
    session: Session, reservation_id: str, demand: Demand, planned: Planned, terms: AllocationPolicy, now: datetime
) -> None:
    """Hold what is free before anything is given up, and queue the rest: nobody is overtaken by a change."""
    plan = planned.plan
    stock.hold(session, plan.taken())
    reservations.hold(session, reservation_id, plan.allocations)
    sourcing.keep(session, demand.order_id, planned, now)
    place = allocation.place_of(session, terms, demand.claim, demand.placed_at_micros)
    queue = [
        Waiting(
            new_id("bo"),
            reservation_id,
            demand.order_id,
            short.line_id,
            short.sku,
            short.quantity,
            demand.placed_at_micros,
            planned.fillers,
            place,
        )
        for short in plan.shortages
    ]
    store.wait_more(session, reservation_id, queue, terms.version, now)


def _give_up(session: Session, reservation_id: str, wanted: Change) -> None:
    store.wait_less(session, reservation_id, wanted.cancelled)
    store.let_go(session, reservation_id, wanted.freed)
    stock.free(session, wanted.freed_units())


def _notify(
    session: Session, order_id: str, reservation_id: str, wanted: Change, fills: Sequence[Fill], now: datetime
) -> None:
    """One fact an order that is concerned; the changed one is told that it reserved, or only released."""
    others = {one for one in filled(fills) if one.order_id != order_id}
    is_served = len(others) < len(filled(fills))
    mine = set()
    if wanted != Change() or is_served:
        kind = facts.RESERVED if wanted.added or is_served else facts.RELEASED
        mine.add(Notice(kind, order_id, reservation_id))
    notify(session, mine | others, now)
    log.info(
        "reservation.adjusted",
        order_id=order_id,
        added=sum(line.quantity for line in wanted.added),
        released=sum(part.quantity for part in wanted.freed),
        cancelled=sum(line.quantity for line in wanted.cancelled),
    )
