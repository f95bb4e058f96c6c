"""Takes goods from orders that hold them while they wait for the rest, for those to whom the allocation policy gives them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.inventory.domain.allocation import Allocation
from services.inventory.domain.allocation_policy import AllocationPolicy
from services.inventory.domain.backorders import Fill
from services.inventory.queues import BATCH, leave, record_fills, what_may_be_taken
from services.inventory.store import adjusting, reservations, stock

log = structlog.get_logger()


def take(
    session: Session, skus: Collection[str], turns: Collection[str], terms: AllocationPolicy, now: datetime
) -> list[Fill]:
    """Serve queues of which something is given up, as far as the caller has the `turns` of all that the losing orders hold or want.

    BATCH fills; the rest, and what needs other turns, is left to the next batch. Gives what was filled.
    """
    if not terms.may_take:
        return []
    done: list[Fill] = []
    for sku, fills in sorted(what_may_be_taken(session, skus, terms, now).items()):
        mine = fills[: BATCH - len(done)]
        if len(mine) < len(fills) or not _may(session, mine, turns):
            leave(session, [sku], now)
        if not _may(session, mine, turns):
            continue
        _give_up(session, mine, terms.version, now)
        record_fills(session, mine, now)
        done += mine
    return done


def _may(session: Session, fills: Sequence[Fill], turns: Collection[str]) -> bool:
    losing = {one.given_up.backorder.reservation_id for one in fills if one.given_up}
    return all(reservations.skus_of(session, one) <= set(turns) for one in losing)


def _give_up(session: Session, fills: Sequence[Fill], version: int, now: datetime) -> None:
    """What is taken is let go and waited for again by who had it."""
    freed: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in fills:
        if one.given_up is None:
            continue
        loser = one.given_up.backorder
        part = Allocation(loser.line_id, loser.sku, one.warehouse_id, one.quantity)
        adjusting.let_go(session, loser.reservation_id, [part])
        adjusting.wait_more(session, loser.reservation_id, [replace(loser, quantity=one.quantity)], version, now)
        freed[loser.sku, one.warehouse_id] += one.quantity
        log.info(
            "stock.given_up", order_id=loser.order_id, to=one.backorder.order_id, sku=loser.sku, quantity=one.quantity
        )
    stock.free(session, freed)
