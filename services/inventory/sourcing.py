"""Plans who serves an order and keeps why, inside the caller's transaction, which has the turns of every SKU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.inventory import sourcing_wire
from services.inventory.domain.allocation import Allocation, LineDemand, Plan, Terms, allocate, allocate_whole
from services.inventory.domain.replaying import Given
from services.inventory.domain.requests import Demand
from services.inventory.domain.resourcing import with_own
from services.inventory.domain.sourcing_record import SourcingRecord, record
from services.inventory.domain.tariffs import Candidate, SourcingPolicy, with_barred, within_splits, without_excluded
from services.inventory.queues import free_for_newcomers
from services.inventory.store import sourcing as store
from services.inventory.store import warehouses
from services.kernel.ids import new_id
from services.runtime.versioned import is_unchanged


@dataclass(frozen=True, slots=True)
class Planned:
    """What to hold, the warehouses that may fill what waits, and why; no record where nothing was to be planned."""

    plan: Plan
    fillers: tuple[Candidate, ...]
    record: SourcingRecord | None = None
    given: Given | None = None

    @property
    def why(self) -> str:
        """The reason in a sentence."""
        return self.record.why if self.record else ""


def plan(
    session: Session,
    demand: Demand,
    lines: Sequence[LineDemand],
    candidates: tuple[Candidate, ...],
    opened: frozenset[str] = frozenset(),
    own: Sequence[Allocation] = (),
    *,
    is_whole: bool = False,
) -> Planned:
    """Choose for these lines among what is free now; `opened` warehouses serve the order already, `own` units are its own to move.

    Of a customer whose lines ship complete a line gets all of its units or none: it `is_whole`.
    """
    policy = store.policy(session).for_customer(demand.customer_id)
    may = with_barred(candidates, policy, demand.hazardous)
    if not lines:
        return Planned(Plan((), ()), _fillers(may, policy, opened))
    terms = Terms(candidates, demand.weights, policy, opened, demand.hazardous)
    places = [one.warehouse_id for one in candidates]
    known = {place.warehouse_id: place.is_active for place in warehouses.every(session)}
    free = free_for_newcomers(session, {line.sku for line in lines}, places)
    if own:
        free = with_own(free, own, [place for place in places if known.get(place)])
    made = (allocate_whole if is_whole else allocate)(lines, free, terms)
    used = opened | {part.warehouse_id for part in made.allocations}
    kept = record(lines, free, terms, made, known, demand.currency)
    # the terms of other customers are no part of what it was made from
    own_terms = replace(terms, policy=replace(policy, customers=()))
    given = Given(tuple(lines), free, own_terms, demand.currency, is_whole, demand.customer_id)
    return Planned(made, _fillers(may, policy, used), kept, given)


def _fillers(candidates: tuple[Candidate, ...], policy: SourcingPolicy, used: frozenset[str]) -> tuple[Candidate, ...]:
    return within_splits(without_excluded(candidates, policy), used, policy.maximum_splits)


def keep(session: Session, order_id: str, planned: Planned, now: datetime) -> None:
    """Keep the plan with its rivals; nothing where nothing was planned."""
    if planned.record is not None:
        given = sourcing_wire.given_document(planned.given) if planned.given else None
        store.keep(session, new_id("src"), order_id, sourcing_wire.plan_document(planned.record), given, now)


def put_policy(session: Session, wanted: SourcingPolicy, seen: int | None) -> SourcingPolicy:
    """Store the policy; the same again changes nothing. Refused VERSION_STALE; version 0 is seen where there is none yet."""
    known = store.policy(session)
    if seen == known.version == 0:
        return store.put_policy(session, wanted)
    if known.version and is_unchanged(known, wanted, seen):
        return known
    return store.put_policy(session, wanted, seen)
