"""Business exceptions: what went wrong with orders, who must act, and resolving one with a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Input, Text, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import OfOrder, path_id
from gateway.http.plumbing.shapes import rfc3339
from services.orders.domain.exceptions import KINDS, ExceptionFilter, ListedException
from services.orders.lifecycle import resolution
from services.orders.order import exceptions
from services.runtime.roles import HOLD_OWNERS

router = APIRouter(tags=["exceptions"])

ExceptionReference = Annotated[str, path_id("The exception's id.")]
if TYPE_CHECKING:
    Kind = str
    Owner = str
else:
    Kind = Literal[tuple(KINDS)]
    Owner = Literal[HOLD_OWNERS]
State = Literal["open", "resolved"]
_LIST = "exceptions"


class OrderExceptionShape(BaseModel):
    """A business exception of an order."""

    exception_id: str
    kind: str = Field(description=", ".join(KINDS))
    order_id: str
    order_number: str
    customer_name: str
    subject: str = Field(
        description="What of the order it is about: shipment, hold, review, the order itself, or a message about it."
    )
    subject_id: str = Field(
        description="The id of that shipment, hold, review or order; of a message its key and a digest of what it said."
    )
    reason: str = Field(description="What happened.")
    owner_role: str = Field(description="Who must act.")
    what_to_do: str
    since: str
    resolved_at: str | None = Field(description="Null while it is open.")
    resolved_by: str | None = Field(description="Who resolved it; system when its cause went away.")
    resolved_role: str | None
    note: str = Field(description="How it was resolved; empty while it is open.")


class ExceptionResolutionInput(Input):
    """How it was resolved."""

    note: Annotated[Text, Field(description="The order's timeline keeps it.")]

    model_config = example(note="the carrier delivers again tomorrow; the customer knows")


@router.get("/v1/exceptions")
def list_exceptions(
    deps: DepsOf,
    who: CallerOf,
    paging: PagingOf,
    state: Annotated[State | None, Query(description="Only in this state.")] = None,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
    owner_role: Annotated[Owner | None, Query(description="Only those on which this role must act.")] = None,
    order_id: OfOrder = None,
) -> Page[OrderExceptionShape]:
    """What went wrong with orders, oldest first: what happened, to what, since when, who must act and what they can do."""
    wanted = ExceptionFilter(state or "", order_id or "", kind or "", owner_role or "")
    with deps.database.reading() as session:
        found = exceptions.list_exceptions(
            session, wanted, who.scope, after=paging.after(_LIST), limit=paging.limit + 1
        )
    page, cursor = cut(found, paging.limit, lambda row: sealed(_LIST, row.found.exception_id))
    return Page(rows=[_shape(row) for row in page], next_cursor=cursor)


@router.get("/v1/exceptions/{exception_id}")
def get_exception(deps: DepsOf, who: CallerOf, exception_id: ExceptionReference) -> OrderExceptionShape:
    """One exception, open or resolved."""
    with deps.database.reading() as session:
        return _shape(exceptions.read_exception(session, exception_id, who.scope))


@router.post("/v1/exceptions/{exception_id}/resolve", response_model=OrderExceptionShape)
def resolve_exception(
    deps: DepsOf, who: CallerOf, once: OnceOf, exception_id: ExceptionReference, body: ExceptionResolutionInput
) -> Response:
    """Resolve an exception with a note, by its owner role or support; once."""

    def resolve(session: Session) -> OrderExceptionShape:
        return _shape(resolution.resolve(session, exception_id, who, body.note, deps.clock()))

    return once.answer_here(body, resolve)


def _shape(listed: ListedException) -> OrderExceptionShape:
    found = listed.found
    return OrderExceptionShape(
        exception_id=found.exception_id,
        kind=found.kind,
        order_id=found.order_id,
        order_number=listed.order_number,
        customer_name=listed.customer_name,
        subject=KINDS[found.kind].subject,
        subject_id=found.subject_id,
        reason=found.reason,
        owner_role=found.owner_role,
        what_to_do=found.what_to_do,
        since=rfc3339(found.since),
        resolved_at=rfc3339(found.resolved_at) if found.resolved_at else None,
        resolved_by=found.resolved_by or None,
        resolved_role=found.resolved_role or None,
        note=found.note,
    )
