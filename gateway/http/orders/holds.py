"""Releasing a hold of an order."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import Session

from gateway.http.orders.order_shapes import OrderDocument
from gateway.http.orders.order_views import order_document
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Input, Text, Version, example
from gateway.http.plumbing.parameters import OrderReference, path_id
from services.orders.approvals import holds
from services.orders.order import aggregate, lookup

router = APIRouter(tags=["orders"])


class HoldReleaseInput(Input):
    """Why it may go on, and which version of the order was seen."""

    note: Annotated[
        Text,
        Field(
            description="Why it may go on: the timeline keeps it. People are asked for it; programs may leave it out."
        ),
    ] = ""
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")

    model_config = example(note="paid by wire this morning", version=1)


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
        holds.release(session, found_id, hold_id, who, wanted.note, deps.clock(), expected, contacts=deps.contacts)
        return order_document(aggregate.page(session, found_id, who.scope), who)

    return once.answer_here(wanted, release)
