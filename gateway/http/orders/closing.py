"""Closing lines of an order, or all that is open of it: what has shipped is billed, the rest is dropped."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from gateway.http.orders import cancellation
from gateway.http.orders.cancellation_shapes import CancellationShape
from gateway.http.orders.change_input import LineId
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Name, Version, example
from gateway.http.plumbing.parameters import OrderReference
from services.kernel.bounds import MAX_LINES
from services.orders.domain.cancellation import DONE
from services.orders.domain.cancelled_units import LineToCancel
from services.orders.lifecycle.cancel import Asked
from services.orders.order import lookup

router = APIRouter(tags=["orders"])

_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"model": CancellationShape, "description": "Stored; its outcome follows by itself."}
}


class LineToClose(Input):
    """A line that is closed at what of it has shipped."""

    line_id: LineId


class ClosingInput(Input):
    """Why, which version of the order was seen, and which lines; without lines all that are open."""

    reason: Name
    version: Version | None = Field(default=None, description="The order's version that you have seen; stale is 409.")
    lines: list[LineToClose] = Field(
        default_factory=list, max_length=MAX_LINES, description="The lines that close; without any all that are open."
    )

    model_config = example(reason="the model is discontinued", version=1, lines=[{"line_id": "2"}])

    def asked(self) -> Asked:
        """What is asked, as the service has it."""
        return Asked(tuple(LineToCancel(line.line_id) for line in self.lines), is_closing=True)


@router.post("/v1/orders/{order_id}/close", response_model=CancellationShape, responses=_ANSWERS)
def close_order(
    deps: DepsOf,
    who: CallerOf,
    once: OnceWithKey,
    order_id: OrderReference,
    body: ClosingInput,
    if_match: IfMatch,
    preview: Annotated[bool, Query(description="Only say what it would do.")] = False,
) -> Response | CancellationShape:
    """Close lines of an accepted order, or all that are open: what has shipped is billed, the rest is dropped.

    It is not a cancellation: the units are `closed`, no fee is due, and an order that ends by it is `completed`. Backorders of the
    lines are gone, warehouses are asked to give back what they have of them, and what they keep is not closed. An order of which
    nothing has shipped is canceled instead.
    """
    with deps.database.reading() as session:
        found_id = lookup.find_id(session, order_id, who.scope)
    if preview:
        return cancellation.previewed(deps, who, found_id, body.asked())
    expected = expected_version(body.version, if_match)

    def act(_request_id: str) -> CancellationShape:
        committed = cancellation.committed_credit(deps, who, found_id)
        ticket = once.perform(
            body,
            lambda session: cancellation.request(
                session, deps, who, found_id, body.reason, expected, committed, body.asked()
            ),
        )
        return cancellation.carry_out(deps, who, found_id, body.reason, ticket)

    return once.answer(body, act, lambda done: 200 if done.state == DONE else 202)
