"""Change orders of an order: preview and propose one, answer it, take it back; and the versions that they made."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlmodel import Session

from gateway.http.orders.change_input import ChangeInput, ConsentInput, WithdrawalInput, change_request
from gateway.http.orders.change_shapes import (
    ChangeShape,
    ProposalShape,
    VersionList,
    change_shape,
    proposal_shape,
    version_list,
)
from gateway.http.orders.workflow_notification import hand_over
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import Once, OnceOf
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import OrderReference, path_id
from services.orders.access.matrix import Caller
from services.orders.changes import amending, consent, propose
from services.orders.domain.changes import AGREED, ChangeOrder, ChangeRequest
from services.orders.order import aggregate, lookup
from services.orders.order.change_orders import change_orders_of, find_change
from services.orders.order.order_versions import replaced_versions

router = APIRouter(tags=["changes"])

ChangeId = Annotated[str, path_id("The change's id.")]
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": ProposalShape, "description": "A preview: nothing has changed."},
    201: {"model": ProposalShape, "description": "On its way to people, or made already: state says which."},
    202: {
        "model": ProposalShape,
        "description": "Agreed; it is made, or refused by what stands against it, by itself.",
    },
}


@router.post("/v1/orders/{order_id}/changes", response_model=ProposalShape, status_code=201, responses=_ANSWERS)
def change_order(
    deps: DepsOf,
    who: CallerOf,
    once: OnceOf,
    order_id: OrderReference,
    body: ChangeInput,
    if_match: IfMatch,
    preview: Annotated[bool, Query(description="Only say what it would come to.")] = False,
) -> Response | ProposalShape:
    """Change lines, address, dates, split or amounts of an order. Untouched lines keep their price.

    More units of a line are held against today's price, and what goes beyond what people released before is asked again.

    What our sales propose waits for the customer's consent unless the customer can only gain; what a customer asks is agreed
    by asking. After that the matrix may ask people, stock and credit are settled, and the next version stands at once or not
    at all.
    """
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
        asked = change_request(body, lookup.load_order(session, found_id, who.scope).currency)
    if preview:
        quote = amending.quote_change(deps.database, deps.taxes, found_id, asked, who, deps.clock())
        with deps.database.reading() as session:
            given = propose.preview(session, found_id, asked, who, deps.clock(), quote)
        return Response(proposal_shape(given, None).model_dump_json(), media_type="application/json")
    expected = expected_version(body.version, if_match)
    return once.answer(
        body,
        lambda _request_id: _propose(deps, who, once, body, found_id, asked, expected),
        lambda shape: 202 if shape.state == AGREED else 201,
    )


def _propose(
    deps: Deps, who: Caller, once: Once, body: ChangeInput, order_id: str, asked: ChangeRequest, expected: int | None
) -> ProposalShape:
    quote = amending.quote_change(deps.database, deps.taxes, order_id, asked, who, deps.clock())

    def proposed(session: Session) -> tuple[str, str, str]:
        done = propose.propose(session, order_id, asked, who, deps.contacts, deps.clock(), expected, quote)
        return done.change.change_id, done.intent_id, proposal_shape(done.proposal, done.change).model_dump_json()

    change_id, intent_id, shape = once.perform(body, proposed)
    hand_over(deps, order_id, "amend", change_id, intent_id)
    return ProposalShape.model_validate_json(shape).model_copy(update={"state": _now(deps, order_id, change_id).state})


def _now(deps: Deps, order_id: str, change_id: str) -> ChangeOrder:
    """The change as it stands after the workflow has looked."""
    with deps.database.reading() as session:
        return find_change(session, order_id, change_id)


@router.get("/v1/orders/{order_id}/changes")
def list_changes(deps: DepsOf, who: CallerOf, paging: PagingOf, order_id: OrderReference) -> Page[ChangeShape]:
    """Every change that was asked of the order, oldest first, with its difference and what became of it."""
    after = paging.after("changes")
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
        found = [one for one in change_orders_of(session, found_id) if one.change_id > after]
    page, following = cut(found[: paging.limit + 1], paging.limit, lambda one: sealed("changes", one.change_id))
    return Page(rows=[change_shape(one, who) for one in page], next_cursor=following)


@router.post("/v1/orders/{order_id}/changes/{change_id}/consent", response_model=ChangeShape)
def answer_change(
    deps: DepsOf,
    who: CallerOf,
    once: OnceOf,
    order_id: OrderReference,
    change_id: ChangeId,
    body: ConsentInput,
    if_match: IfMatch,
) -> Response:
    """Accept or decline a change that was proposed to the customer; late or stale is 409 with the state that it has."""
    expected = expected_version(body.version, if_match)

    def act(_request_id: str) -> ChangeShape:
        def answered(session: Session) -> tuple[str, str]:
            found_id = lookup.find_id(session, order_id, who.scope)
            _, intent_id = consent.consent(
                session, found_id, change_id, body.answer, body.note, who, deps.contacts, deps.clock(), expected
            )
            return found_id, intent_id

        found_id, intent_id = once.perform(body, answered)
        hand_over(deps, found_id, "consent", change_id, intent_id)
        return change_shape(_now(deps, found_id, change_id), who)

    return once.answer(body, act)


@router.post("/v1/orders/{order_id}/changes/{change_id}/withdrawal", response_model=ChangeShape)
def withdraw_change(
    deps: DepsOf,
    who: CallerOf,
    once: OnceOf,
    order_id: OrderReference,
    change_id: ChangeId,
    body: WithdrawalInput | None = None,
) -> Response:
    """Take a proposal back while the customer or a reviewer still decides on it."""
    wanted = body or WithdrawalInput()

    def act(_request_id: str) -> ChangeShape:
        def withdrawn(session: Session) -> tuple[str, str]:
            found_id = lookup.find_id(session, order_id, who.scope)
            _, intent_id = consent.withdraw(session, found_id, change_id, wanted.note, who, deps.contacts, deps.clock())
            return found_id, intent_id

        found_id, intent_id = once.perform(wanted, withdrawn)
        hand_over(deps, found_id, "amend", change_id, intent_id)
        return change_shape(_now(deps, found_id, change_id), who)

    return once.answer(wanted, act)


@router.get("/v1/orders/{order_id}/versions")
def list_versions(deps: DepsOf, who: CallerOf, order_id: OrderReference) -> VersionList:
    """Every version of the order with its lines and totals, oldest first; prices are hidden from the warehouse."""
    with deps.database.reading() as session:
        found = aggregate.read(session, lookup.find_id(session, order_id, who.scope), who.scope)
        return version_list(found.order, replaced_versions(session, found.order), who)
