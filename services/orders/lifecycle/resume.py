"""Orders that nobody carries on: found by a sweep, told as exceptions, and started again from what the services know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.orders.access.matrix import Caller
from services.orders.domain.access import Scope
from services.orders.domain.exceptions import (
    WORKFLOW_FAILING,
    WORKFLOW_HALTS,
    WORKFLOW_LOST,
)
from services.orders.order import exceptions, lookup, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read_for_change
from services.orders.store import dead_letters, facts
from services.orders.store import resumptions as store

STARTS = (outbox.START, outbox.RESUME)
_GOES_ON = "Its workflow goes on."


@dataclass(frozen=True, slots=True)
class Halted:
    """Ids of open orders that have no running workflow, and of those whose workflow cannot take its next step; `is_all` of them.

    Orders placed before `searched_at` were looked at after it, but for those whose start waits in the outbox.
    """

    lost: Sequence[str]
    failing: Sequence[str]
    is_all: bool
    searched_at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """How many exceptions were opened and resolved."""

    opened: int
    resolved: int


def open_orders(session: Session, *, placed_before: datetime, after: str, limit: int) -> list[tuple[str, str]]:
    """Id and number of orders each of which must have a running workflow, by id."""
    return store.open_orders(session, STARTS, placed_before=placed_before, after=after, limit=limit)


def record_halted(session: Session, halted: Halted, now: datetime) -> Counted:
    """Open an exception for each, and resolve those of open orders that the search looked at and found to go on again."""
    living = lookup.living(session, [*halted.lost, *halted.failing], [])
    opened = resolved = 0
    for kind, named in ((WORKFLOW_LOST, halted.lost), (WORKFLOW_FAILING, halted.failing)):
        known = store.reported(session, kind)
        starting = _starting(session, {*named, *known})
        for order_id in sorted((set(named) & set(living)) - starting - set(known)):
            exceptions.open_exception(session, order_id, kind, order_id, WORKFLOW_HALTS[kind], now)
            opened += 1
        seen = {order_id for order_id, since in known.items() if since < halted.searched_at} - starting
        over = sorted(seen - set(named)) if halted.is_all else []
        exceptions.resolve_by_system(session, kind, over, _GOES_ON, now)
        resolved += len(over)
    return Counted(opened, resolved)


def _starting(session: Session, order_ids: Collection[str]) -> set[str]:
    """Those of these orders whose workflow a message still is to start."""
    return {found for kind in STARTS for found in facts.unsent_of(session, kind, order_ids)}


def resume(session: Session, order_id: str, caller: Caller, now: datetime) -> int:
    """Have the order's workflow started again, as the relay can; gives which resumption it is. The caller saw that none runs.

    One that is still to be started is not asked for twice. Who repairs twice at once starts one: a second finds that it runs.
    """
    before = read_for_change(session, order_id, caller.scope)
    number = store.next_number(session, order_id)
    if facts.unsent_of(session, outbox.RESUME, [order_id]):
        return number - 1
    store.add(session, order_id, number, by=caller.principal.sub, role=caller.role, now=now)
    outbox.resume(session, before.order, number, now)
    actor = Actor(caller.principal.sub, caller.role)
    note_event(session, before, before, actor, "workflow_resumed", now, more={"resumption": number})
    return number


def wake(session: Session, order_id: str, scope: Scope, now: datetime) -> None:
    """Tell a workflow that runs once more what the facts have come to: whatever it was not told, it reads then."""
    aggregate = read_for_change(session, order_id, scope)
    for name, subject_id in _owed(aggregate):
        outbox.signal(session, order_id, name, now, subject_id=subject_id)


def _owed(aggregate: OrderAggregate) -> list[tuple[str, str]]:
    progress = aggregate.progress
    billed = {one for invoice in progress.invoices.values() for one in invoice.bills}
    left = [one for one in progress.shipments.values() if one.state in ("shipped", "delivered")]
    owed = [("shipment_shipped", one.shipment_id) for one in left if one.shipment_id not in billed]
    owed += [("shipment_delivered", "")] if aggregate.is_delivered else []
    owed += [("payment_settled", "")] if aggregate.is_settled else []
    return [*owed, ("holds_released", "")]


def started_again(session: Session, order_id: str, now: datetime) -> None:
    """The workflow runs: the exceptions about that are over, and what came while none ran is handed over again."""
    exceptions.resolve_by_system(session, WORKFLOW_LOST, [order_id], _GOES_ON, now)
    for fact_id in dead_letters.late_of(session, order_id):
        late, is_complete = dead_letters.take_late(session, fact_id)
        outbox.resignal(session, order_id, late.signal, late.fact_id, late.subject_id, now, is_complete=is_complete)


def unfinished(session: Session, holding: Collection[str]) -> dict[str, str]:
    """Order id → number of ended orders that still hold something, by what others say, or whose workflow was interrupted over it."""
    interrupted = store.ended_but_interrupted(session)
    return lookup.numbers(session, {*interrupted, *lookup.ended(session, sorted(holding))})
