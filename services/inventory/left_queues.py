"""What batches leave to the next one: queues to be ranked and served, goods to be taken from who holds them, orders to be told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.inventory import giving_up, ranking
from services.inventory.domain import facts
from services.inventory.queues import BATCH, fill_queues, leave, notify, what_may_be_taken
from services.inventory.store import allocation, batches, stock
from services.runtime.outbox import Notice


@dataclass(frozen=True, slots=True)
class Left:
    """A SKU whose queue a policy is to rank, SKUs whose queues go on, and orders that are to hear of other days."""

    unranked: str = ""
    skus: tuple[str, ...] = ()
    order_ids: tuple[str, ...] = ()

    def singly(self) -> list[Left]:
        """The same in batches of one."""
        ranked = [Left(unranked=self.unranked)] if self.unranked else []
        served = [Left(skus=(sku,)) for sku in self.skus]
        return ranked + served + [Left(order_ids=(order_id,)) for order_id in self.order_ids]


def next_left(session: Session, passed_over: Collection[Left] = ()) -> Left:
    """The next batch, ranks before queues before news; empty when nothing is left. Batches of one that are `passed_over` are not in it."""
    unranked = Left(unranked=allocation.next_unranked(session))
    if unranked.unranked and unranked not in passed_over:
        return unranked
    most = BATCH + len(passed_over)
    skus = [sku for sku in batches.next_left(session, most) if Left(skus=(sku,)) not in passed_over]
    if skus:
        return Left(skus=tuple(skus[:BATCH]))
    news = batches.next_unnotified(session, most)
    return Left(order_ids=tuple([one for one in news if Left(order_ids=(one,)) not in passed_over][:BATCH]))


def fill_left(session: Session, left: Left, now: datetime) -> None:
    """Go on with these queues, and tell these orders of their days, as far as nobody else has since."""
    if left.unranked:
        ranking.rank_queue(session, left.unranked, now)
    if left.skus:
        _serve(session, left.skus, now)
    if left.order_ids:
        moved = batches.take_unnotified(session, left.order_ids)
        notify(session, [Notice(facts.EXPECTED, order_id, kept_by) for order_id, kept_by in moved.items()], now)


def _serve(session: Session, skus: Sequence[str], now: datetime) -> None:
    terms = allocation.policy(session)
    turns = set(skus) | (allocation.skus_beside(session, skus) if terms.may_take else set())
    stock.take_turns(session, turns)
    # both leave again what they do not reach
    batches.done(session, skus)
    taken = giving_up.take(session, skus, turns, terms, now)
    fills = fill_queues(session, skus, now, terms)
    filled = [*taken, *fills]
    notices = {Notice(facts.ALLOCATED, one.backorder.order_id, one.backorder.reservation_id) for one in filled}
    orders = {one.order_id for one in notices}
    lost = {(one.given_up.backorder.order_id, one.given_up.backorder.reservation_id) for one in taken if one.given_up}
    notices |= {Notice(facts.RELEASED, *one) for one in lost if one[0] not in orders}
    notify(session, notices, now)


def leave_overdue(session: Session, now: datetime) -> None:
    """Orders that have held goods for longer than the policy lets them wait for the rest: who waits beside them is served next."""
    terms = allocation.policy(session)
    if terms.freeze_days is not None:
        skus = allocation.overdue_skus(session, terms, now)
        leave(session, what_may_be_taken(session, skus, terms, now).keys(), now)
