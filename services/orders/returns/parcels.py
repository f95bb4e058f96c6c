"""Parcels that no return announces: taken in by a warehouse, and matched to an order or ended otherwise by support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from sqlmodel import Session

from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.changes.propose import actor_of
from services.orders.domain.access import EVERYTHING
from services.orders.domain.mails import Contacts
from services.orders.domain.parcels import OUTCOMES, WAITING, Parcel, ParcelLine, check_waiting, match, seems
from services.orders.domain.returnable import LineToReturn, Returnable, lines_of, returnable
from services.orders.domain.returns import AUTHORIZED, FeeRule, Return, ReturnLine
from services.orders.masterdata import catalog
from services.orders.order import lookup, outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read, read_for_change, restate
from services.orders.policies import versions
from services.orders.returns.changing import logged, notify, show
from services.orders.store import parcels as store
from services.orders.store import returns

log = structlog.get_logger()

_EVER = timedelta(days=36_500)
"""Whoever takes goods that are here takes them whenever they had been delivered: the window is for those who ask."""


@dataclass(frozen=True, slots=True)
class Found:
    """Units in a parcel that are alike, as the warehouse names them."""

    sku: str
    description: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A parcel as it stands at the dock. It belongs to a return, or to an order, or to what was read on it; to nothing known at worst."""

    warehouse_id: str
    lines: tuple[Found, ...]
    order_id: str = ""
    return_id: str = ""
    reference: str = ""
    note: str = ""


def record(session: Session, arrival: Arrival, caller: Caller, now: datetime) -> Parcel:
    """Keep what came and what it seems to be; support decides what becomes of it."""
    of_return = returns.get(session, arrival.return_id) if arrival.return_id else None
    order_id = of_return.order_id if of_return else arrival.order_id
    parcel = Parcel(
        parcel_id=new_id("pcl"),
        number=store.next_number(session),
        warehouse_id=arrival.warehouse_id,
        state=WAITING,
        lines=_lines(session, arrival.lines, order_id),
        received_by=caller.principal.sub,
        received_at=now,
        order_id=order_id,
        order_number=lookup.number_of(session, order_id) if order_id else "",
        return_id=arrival.return_id,
        return_number=of_return.number if of_return else "",
        reference=arrival.reference,
        note=arrival.note,
    )
    store.add(session, parcel)
    log.info(
        "parcel.received", parcel_id=parcel.parcel_id, warehouse_id=parcel.warehouse_id, return_id=parcel.return_id
    )
    return parcel


def _lines(session: Session, found: Sequence[Found], order_id: str) -> tuple[ParcelLine, ...]:
    known = {one.sku: catalog.known_sku(session, one.sku) for one in found if one.sku}
    listed = catalog.products_of(session, list(known.values()))
    of_order = {line.sku for line in lookup.load_order(session, order_id, EVERYTHING).lines} if order_id else set()
    return tuple(
        ParcelLine(
            at, known.get(one.sku, ""), one.description, one.quantity, seems(known.get(one.sku, ""), of_order, listed)
        )
        for at, one in enumerate(found)
    )


def match_order(
    session: Session,
    reference: str,
    order_id: str,
    lines: Sequence[LineToReturn],
    caller: Caller,
    note: str,
    contacts: Contacts,
    now: datetime,
    fee: FeeRule | None = None,
) -> Return:
    """A return of an order, authorized and already received, of goods in a parcel; its workflow starts as that of any other.

    Refused PARCEL_DECIDED, PARCEL_HOLDS_LESS, and as any return for what of the order may not come back: nothing else is credited.
    """
    before = read_for_change(session, order_id, caller.scope)
    parcel = _taken(session, reference)
    others = returns.of_order(session, order_id)
    wanted = lines_of(before.order, before.progress, others, lines, now, _EVER)
    units: dict[str, int] = {}
    for line in wanted:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    actor = actor_of(caller)
    store.save(session, _decided(match(parcel, units), actor, note, now))
    received = tuple(replace(line, received=line.quantity) for line in wanted)
    found = _arrived(session, before, parcel, received, actor, note, now, fee)
    returns.add(session, found)
    after = restate(session, show(before, [*others, found]), now)
    note_event(session, before, after, actor, "parcel_matched", now, why=note, more=logged(found))
    notify(session, after.order, None, found, contacts, now)
    outbox.start_return(session, found, now)
    log.info("parcel.matched", parcel_id=parcel.parcel_id, order_id=order_id, return_id=found.return_id)
    return found


def _arrived(
    session: Session,
    order: OrderAggregate,
    parcel: Parcel,
    lines: tuple[ReturnLine, ...],
    actor: Actor,
    note: str,
    now: datetime,
    fee: FeeRule | None,
) -> Return:
    usual = FeeRule(Decimal(versions.policy_in_force(session).returns.fee_percent))
    return Return(
        return_id=new_id("rma"),
        number=returns.next_number(session),
        order_id=order.order_id,
        order_number=order.order.number,
        state=AUTHORIZED,
        lines=lines,
        reason="",
        requested_by=actor.who,
        requested_role=actor.role,
        requested_at=now,
        currency=order.order.currency,
        fee=fee or usual,
        decided_by=actor.who,
        decided_role=actor.role,
        decided_at=now,
        decision_note=note,
        arrived_in=parcel.warehouse_id,
        received_by=parcel.received_by,
        parcel_number=parcel.number,
    )


def decide(session: Session, reference: str, outcome: str, caller: Caller, note: str, now: datetime) -> Parcel:
    """What becomes of goods that become no return: they are credited to nobody and in no stock. Refused PARCEL_DECIDED."""
    if outcome not in OUTCOMES:
        raise InvalidArgument("OUTCOME_UNKNOWN", f"goods of a parcel end by one of {', '.join(OUTCOMES)}")
    parcel = _taken(session, reference)
    after = _decided(replace(parcel, state=OUTCOMES[outcome]), actor_of(caller), note, now)
    store.save(session, after)
    log.info("parcel.decided", parcel_id=parcel.parcel_id, state=after.state)
    return after


def _decided(after: Parcel, actor: Actor, note: str, now: datetime) -> Parcel:
    if after.state == WAITING:
        return after
    return replace(after, decided_by=actor.who, decided_role=actor.role, decided_at=now, decision_note=note)


def _taken(session: Session, reference: str) -> Parcel:
    """A parcel that nobody else decides until this transaction ends; NotFound PARCEL_UNKNOWN, Refused PARCEL_DECIDED."""
    found = store.get(session, reference)
    store.take(session, found.parcel_id)
    after = store.get(session, found.parcel_id)
    check_waiting(after)
    return after


def options(session: Session, order_id: str, caller: Caller, now: datetime) -> dict[str, Returnable]:
    """Line id → what of it a parcel may hold, whenever it had been delivered, in line order."""
    found, others = read(session, order_id, caller.scope), returns.of_order(session, order_id)
    return {
        line.line_id: returnable(found.order, found.progress, others, line, now, _EVER) for line in found.order.lines
    }


def one(session: Session, reference: str) -> Parcel:
    """A parcel by its id or number; NotFound PARCEL_UNKNOWN."""
    return store.get(session, reference)


def page(
    session: Session, *, state: str = "", warehouse_id: str = "", return_id: str = "", after: str = "", limit: int = 100
) -> list[Parcel]:
    """Parcels, oldest first, from behind the one of id `after`."""
    return store.page(session, state=state, warehouse_id=warehouse_id, return_id=return_id, after=after, limit=limit)


def count_waiting(session: Session) -> int:
    """Parcels that wait for support."""
    return store.count_waiting(session)


def order_of(session: Session, reference: str) -> str:
    """The id of the order that a parcel names by id or number; empty where it names none."""
    try:
        return lookup.find_id(session, reference)
    except NotFound:
        return ""
