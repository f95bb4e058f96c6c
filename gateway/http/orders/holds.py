"""Holds of an order: what one is about, and releasing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.orders.decision_facts import ask_neighbors, sight_of
from gateway.http.orders.decision_shapes import DecisionFactsShape, facts_shape
from gateway.http.orders.order_shapes import HoldShape, OrderDocument
from gateway.http.orders.order_views import hold_shape, order_document
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Day, Input, MoneyInput, Text, Version, example
from gateway.http.plumbing.parameters import OrderReference, path_id
from services.kernel.money import Money
from services.orders.approvals import assignees, deciders, holds
from services.orders.domain.holds import Allowance, find_hold
from services.orders.masterdata import people
from services.orders.order import aggregate, lookup
from services.orders.overview.decision_facts import facts_of, subjects_of

router = APIRouter(tags=["orders"])


class HoldReleaseInput(Input):
    """Why it may go on, and which version of the order was seen."""

    note: Annotated[
        Text,
        Field(
            description="Why it may go on: the timeline keeps it. People are asked for it; programs may leave it out."
        ),
    ] = ""
    up_to: MoneyInput | None = Field(
        default=None,
        description="Of a hold on credit or payment: it is let go if the order comes to no more than this.",
    )
    until: Day | None = Field(
        default=None,
        description="Of a hold on credit or payment: what has not left by the end of this day is held again unless it is paid.",
    )
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")

    model_config = example(note="paid by wire this morning", version=1)


class HoldDocument(BaseModel):
    """A hold, who may release it, and what a release rests on."""

    hold: HoldShape
    may_release: bool = Field(description="Whether you may.")
    why_not: str = Field(description="Why you may not; empty when you may.")
    owners: list[str] = Field(description="The roles that may release it now.")
    who: list[str] = Field(description="The people who have one of them.")
    about: list[str] = Field(description="credit, prices, availability, duplicates, ship_to.")
    facts: DecisionFactsShape | None = Field(description="While it is open, whatever it is about.")


@router.get("/v1/orders/{order_id}/holds/{hold_id}")
def get_hold(
    deps: DepsOf, who: CallerOf, order_id: OrderReference, hold_id: Annotated[str, path_id("The hold's id.")]
) -> HoldDocument:
    """One hold: what it is about, who may release it, and the facts that a release rests on."""
    now = deps.clock()
    with deps.database.reading() as session:
        found = aggregate.page(session, order_id, who.scope).aggregate
        hold = find_hold(found.holds, hold_id)
        owners = assignees.owners_of(session, found.order, hold)
        names = [person.name for person in people.staff(session) if person.name and set(owners) & set(person.roles)]
        obstacle = deciders.release_obstacle(session, found, hold, who, now)
        about = subjects_of(session, hold)
        facts = facts_of(session, found.order, now) if hold.is_open else None
    sight = sight_of(deps, who)
    return HoldDocument(
        hold=hold_shape(hold, who, found.order.currency),
        may_release=obstacle is None,
        why_not=obstacle.message if obstacle else "",
        owners=list(owners),
        who=names,
        about=sorted(about),
        facts=facts_shape(facts, ask_neighbors(deps, facts, sight), sight) if facts else None,
    )


@router.post("/v1/orders/{order_id}/holds/{hold_id}/release", response_model=OrderDocument)
def release_hold(
    deps: DepsOf,
    who: CallerOf,
    once: OnceOf,
    order_id: OrderReference,
    hold_id: Annotated[str, path_id("The hold's id.")],
    if_match: IfMatch,
    body: HoldReleaseInput | None = None,
) -> Response:
    """Release one hold, by its owner role; with the last one the order goes on by itself."""
    wanted = body or HoldReleaseInput()
    expected = expected_version(wanted.version, if_match)

    def release(session: Session) -> OrderDocument:
        found_id = lookup.find_id(session, order_id, who.scope)
        up_to = Money.parse(wanted.up_to.amount, wanted.up_to.currency) if wanted.up_to else None
        allowance = Allowance(up_to, wanted.until)
        holds.release(session, found_id, hold_id, who, wanted.note, deps.clock(), expected, deps.contacts, allowance)
        return order_document(aggregate.page(session, found_id, who.scope), who)

    return once.answer_here(wanted, release)
