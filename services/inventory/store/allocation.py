"""Queries over the allocation policy, what orders bring to a queue, and what those hold that wait for the rest."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, func, select, update
from sqlmodel import Session

from services.inventory.domain.allocation_policy import AllocationPolicy, Claim, TierTerms, rank
from services.inventory.domain.backorders import Frozen, Place, Waiting
from services.inventory.store import backorders
from services.inventory.store.tables import (
    ACTIVE,
    NOTHING,
    allocation,
    allocation_policy,
    backorder,
    reservation,
    warehouse,
)
from services.kernel.clock import from_micros
from services.kernel.errors import NotFound
from services.kernel.ids import new_id
from services.runtime import versioned
from services.runtime.sessions import business_day

_POLICY = select(allocation_policy).where(allocation_policy.c.policy_id == "company")
_CLAIM_COLUMNS = (
    reservation.c.customer_tier,
    reservation.c.requested_on,
    reservation.c.is_order_complete,
    reservation.c.is_expedited,
)
_CLAIM = select(*_CLAIM_COLUMNS).where(reservation.c.reservation_id == bindparam("of"))
_VERSION = func.coalesce(
    select(allocation_policy.c.version).where(allocation_policy.c.policy_id == "company").scalar_subquery(), 0
)
_UNRANKED = (
    select(backorder.c.sku)
    .where(backorder.c.ranked_version < _VERSION, backorder.c.waiting_quantity > NOTHING)
    .order_by(backorder.c.ranked_version, backorder.c.sku)
    .limit(1)
)
_OF_SKU = (
    select(backorder.c.backorder_id, backorder.c.delivery, backorder.c.is_manual, backorder.c.placed_at_micros)
    .add_columns(*_CLAIM_COLUMNS)
    .select_from(backorder)
    .join(reservation, reservation.c.reservation_id == backorder.c.reservation_id)
    .where(backorder.c.waiting_quantity > NOTHING)
)
_RANK = (
    update(backorder)
    .where(backorder.c.backorder_id == bindparam("of"))
    .values(
        priority=bindparam("at"),
        delivery=bindparam("as"),
        is_manual=bindparam("by_hand"),
        ranked_version=bindparam("version"),
    )
)
_OF_GATHERING = and_(
    reservation.c.gathers_since.is_not(None),
    reservation.c.state == ACTIVE,
    exists().where(backorder.c.reservation_id == reservation.c.reservation_id, backorder.c.waiting_quantity > NOTHING),
)
_IS_HELD = and_(allocation.c.reservation_id == reservation.c.reservation_id, allocation.c.held_quantity > NOTHING)
_HELD = (
    select(allocation, reservation.c.gathers_since, reservation.c.order_id, reservation.c.placed_at_micros)
    .add_columns(*_CLAIM_COLUMNS)
    .select_from(reservation)
    .join(allocation, _IS_HELD)
    .join(warehouse, and_(warehouse.c.warehouse_id == allocation.c.warehouse_id, warehouse.c.is_active))
    .where(_OF_GATHERING, allocation.c.sku.in_(bindparam("skus", expanding=True)))
    .order_by(allocation.c.reservation_id, allocation.c.line_id, allocation.c.warehouse_id)
)
_THEIRS = select(backorder).where(backorder.c.reservation_id.in_(bindparam("reservations", expanding=True)))
_COMPLETE = (
    update(reservation)
    .where(
        reservation.c.reservation_id == bindparam("of"),
        reservation.c.is_gathering,
        ~exists().where(
            backorder.c.reservation_id == reservation.c.reservation_id, backorder.c.waiting_quantity > NOTHING
        ),
    )
    .values(is_gathering=False, gathers_since=None)
)
_GATHER = (
    update(reservation)
    .where(
        reservation.c.reservation_id == bindparam("of"),
        reservation.c.is_gathering,
        reservation.c.gathers_since.is_(None),
    )
    .values(gathers_since=bindparam("since"))
)

_BEGIN = (
    update(reservation)
    .where(reservation.c.reservation_id == bindparam("of"), reservation.c.is_gathering)
    .values(is_gathering=False, gathers_since=None)
)
_HAS_BEGUN = (
    select(allocation.c.line_id)
    .where(allocation.c.reservation_id == bindparam("of"), allocation.c.shipped_quantity > NOTHING)
    .limit(1)
)


def policy(session: Session) -> AllocationPolicy:
    """The policy in force; the one of version 0, under which dates alone count, before one was put."""
    row = session.execute(_POLICY).first()
    if row is None:
        return AllocationPolicy()
    tiers = tuple(TierTerms(**tier) for tier in row.tiers)
    return AllocationPolicy(tiers, row.usual_class, row.is_fair_share, row.freeze_days, row.version)


def put_policy(
    session: Session, wanted: AllocationPolicy, now: datetime, expected: int | None = None
) -> AllocationPolicy:
    """Put it in place of the one before; gives it with its version. Refused VERSION_STALE where another one stands."""
    values: dict[str, Any] = {
        "tiers": [asdict(tier) for tier in wanted.tiers],
        "usual_class": wanted.usual_class,
        "is_fair_share": wanted.is_fair_share,
        "freeze_days": wanted.freeze_days,
        "put_at": now,
    }
    version = versioned.put(session, allocation_policy, {"policy_id": "company"}, values, expected)
    return replace(wanted, version=version)


def claim_of(session: Session, reservation_id: str) -> Claim:
    """What a reservation's order brought."""
    return Claim(*session.execute(_CLAIM, {"of": reservation_id}).one())


def put_claim(session: Session, reservation_id: str, claim: Claim) -> None:
    """What it brings from now on."""
    session.execute(update(reservation).where(reservation.c.reservation_id == reservation_id).values(**asdict(claim)))


def place_of(session: Session, terms: AllocationPolicy, claim: Claim, placed_at_micros: int) -> Place:
    """The place of an order's backorders in any queue."""
    placed_on = business_day(session, from_micros(placed_at_micros))
    is_manual = terms.terms(claim.customer_tier).is_manual
    return Place(rank(terms, claim, placed_on).priority, claim.delivery(terms), is_manual)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A backorder that a policy is to rank: what it is now, and what its order brought."""

    backorder_id: str
    place: Place
    placed_at_micros: int
    claim: Claim


def next_unranked(session: Session) -> str:
    """A SKU whose queue the policy in force has not ranked yet; empty when there is none."""
    return session.execute(_UNRANKED).scalar() or ""


def to_rank(session: Session, *, sku: str = "", reservation_id: str = "") -> list[Ranked]:
    """All who wait for a SKU, or of a reservation."""
    of = backorder.c.sku == sku if sku else backorder.c.reservation_id == reservation_id
    return [
        Ranked(
            row.backorder_id,
            Place(0, row.delivery, row.is_manual),
            row.placed_at_micros,
            Claim(row.customer_tier, row.requested_on, row.is_order_complete, row.is_expedited),
        )
        for row in session.execute(_OF_SKU.where(of).order_by(backorder.c.backorder_id))
    ]


def put_places(session: Session, places: Mapping[str, Place], version: int) -> None:
    """Backorder id → its place under this version of the policy."""
    rows = [
        {"of": one, "at": place.priority, "as": place.delivery, "by_hand": place.is_manual, "version": version}
        for one, place in sorted(places.items())
    ]
    if rows:
        session.execute(_RANK, rows)


def waiting(session: Session, backorder_id: str) -> Waiting:
    """A backorder as it waits. NotFound BACKORDER_UNKNOWN where nothing of it does."""
    row = session.execute(
        select(backorder).where(backorder.c.backorder_id == backorder_id, backorder.c.waiting_quantity > NOTHING)
    ).first()
    if row is None:
        raise NotFound(
            "BACKORDER_UNKNOWN", f"no backorder {backorder_id} waits: look at the list of backorders for those that do"
        )
    return backorders.waiting_of(row, ())


def let_in(session: Session, backorder_id: str) -> None:
    """A person lets a backorder be filled."""
    session.execute(update(backorder).where(backorder.c.backorder_id == backorder_id).values(is_manual=False))


def frozen(session: Session, skus: Collection[str], terms: AllocationPolicy, now: datetime) -> dict[str, list[Frozen]]:
    """SKU → what orders that ship complete hold of it while they wait for the rest; open warehouses only."""
    rows = session.execute(_HELD, {"skus": list(skus)}).all() if skus else []
    if not rows:
        return {}
    limit = None if terms.freeze_days is None else now - timedelta(days=terms.freeze_days)
    known = {
        (row.reservation_id, row.line_id): row
        for row in session.execute(_THEIRS, {"reservations": sorted({row.reservation_id for row in rows})})
    }
    places = backorders.candidates_of(session, {row.reservation_id for row in rows})
    found: defaultdict[str, list[Frozen]] = defaultdict(list)
    for row in rows:
        line = known.get((row.reservation_id, row.line_id))
        may = places[row.reservation_id]
        waiting = backorders.waiting_of(line, may) if line else _new_place(session, row, terms)
        is_overdue = limit is not None and row.gathers_since <= limit
        found[row.sku].append(Frozen(waiting, row.warehouse_id, row.held_quantity, is_overdue))
    return dict(found)


def _new_place(session: Session, row: Row[Any], terms: AllocationPolicy) -> Waiting:
    """Where a line would wait that has never waited."""
    claim = Claim(row.customer_tier, row.requested_on, row.is_order_complete, row.is_expedited)
    place = place_of(session, terms, claim, row.placed_at_micros)
    return Waiting(
        new_id("bo"), row.reservation_id, row.order_id, row.line_id, row.sku, 0, row.placed_at_micros, (), place
    )


def overdue_in_queue(session: Session, sku: str, terms: AllocationPolicy, now: datetime) -> frozenset[str]:
    """Reservations that wait for a SKU and have held goods, of whatever SKU, for longer than the policy lets them."""
    if terms.freeze_days is None:
        return frozenset()
    limit = now - timedelta(days=terms.freeze_days)
    late = select(reservation.c.reservation_id).where(
        reservation.c.gathers_since <= limit,
        reservation.c.state == ACTIVE,
        exists().where(
            backorder.c.reservation_id == reservation.c.reservation_id,
            backorder.c.sku == sku,
            backorder.c.waiting_quantity > NOTHING,
        ),
    )
    return frozenset(session.execute(late).scalars())


def overdue_skus(session: Session, terms: AllocationPolicy, now: datetime) -> set[str]:
    """SKUs that orders hold which have waited for the rest for longer than the policy lets them."""
    if terms.freeze_days is None:
        return set()
    limit = now - timedelta(days=terms.freeze_days)
    held = select(allocation.c.sku).select_from(allocation).join(reservation, _IS_HELD)
    return set(session.execute(held.where(_OF_GATHERING, reservation.c.gathers_since <= limit)).scalars())


def skus_beside(session: Session, skus: Collection[str]) -> set[str]:
    """Every SKU that orders hold or wait for which hold one of these while they wait for the rest."""
    of = select(reservation.c.reservation_id).select_from(reservation).join(allocation, _IS_HELD)
    of = of.where(_OF_GATHERING, allocation.c.sku.in_(list(skus)))
    held = select(allocation.c.sku).where(allocation.c.reservation_id.in_(of))
    waiting = select(backorder.c.sku).where(backorder.c.reservation_id.in_(of))
    return set(session.execute(held.union(waiting)).scalars())


def gather(session: Session, reservation_ids: Iterable[str], now: datetime) -> None:
    """Orders that ship complete got something: those that are complete may leave, the others hold it while they wait."""
    of = [{"of": one} for one in sorted(set(reservation_ids))]
    if of:
        session.execute(_COMPLETE, of)
        session.execute(_GATHER, [{**one, "since": now} for one in of])


def set_gathering(session: Session, reservation_id: str, *, is_gathering: bool) -> None:
    """Whether nothing of an order leaves, nor has left, before all of it is there."""
    values: dict[str, Any] = {"is_gathering": is_gathering}
    if not is_gathering:
        values["gathers_since"] = None
    session.execute(update(reservation).where(reservation.c.reservation_id == reservation_id).values(**values))


def begin(session: Session, reservation_id: str) -> None:
    """Something of an order leaves: what it holds is kept together no more."""
    session.execute(_BEGIN, {"of": reservation_id})


def gather_again(session: Session, reservation_id: str, now: datetime) -> None:
    """An order that ships complete has lost something: nothing more of it leaves before all is there, unless some of it has left."""
    if session.execute(_HAS_BEGUN, {"of": reservation_id}).first() is None:
        set_gathering(session, reservation_id, is_gathering=True)
        gather(session, [reservation_id], now)
