"""Deliveries: mails to people, those that could not be sent, and their retry."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfOrder, path_id
from oms.notifications.v1 import notifications_pb2 as pb

router = APIRouter(tags=["notifications"])


class MailDelivery(BaseModel):
    """A mail to one recipient."""

    delivery_id: str
    event_id: str = Field(description="What it tells of; an event reaches a recipient once.")
    order_id: str | None
    order_number: str | None
    kind: str = Field(description="Which text: one that /v1/mail-templates names.")
    role: str = Field(description="As whom the recipient is told.")
    email: str
    subject: str
    state: str = Field(description="waiting, sent or dead.")
    attempts: int = Field(description="Tries so far.")
    last_error: str | None = Field(
        description="Why the last try failed, or why it was sent without its document; null when neither happened."
    )
    attachment: str | None = Field(description="The file name of the document that goes with it; null without one.")


@router.get("/v1/deliveries")
def list_deliveries(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    order_id: OfOrder = None,
    state: Annotated[Literal["waiting", "sent", "dead"] | None, Query(description="Only in this state.")] = None,
) -> Page[MailDelivery]:
    """Mails, oldest first; `state=dead` is the dead-letter list."""
    found = deps.notifications.ListDeliveries(
        pb.ListDeliveriesRequest(order_id=order_id or "", state=state or "", limit=paging.limit, cursor=paging.cursor)
    )
    return Page(rows=[_delivery(row) for row in found.deliveries], next_cursor=found.next_cursor or None)


@router.post("/v1/deliveries/{delivery_id}/retry", response_model=MailDelivery)
def retry_delivery(deps: DepsOf, once: OnceOf, delivery_id: Annotated[str, path_id("The mail's id.")]) -> Response:
    """Put a dead mail back in line."""

    def act(_request_id: str) -> MailDelivery:
        wanted = pb.RetryDeliveryRequest(delivery_id=delivery_id)
        return _delivery(deps.notifications.RetryDelivery(wanted).delivery)

    return once.answer(None, act)


def _delivery(row: pb.Delivery) -> MailDelivery:
    return MailDelivery(
        delivery_id=row.delivery_id,
        event_id=row.event_id,
        order_id=row.order_id or None,
        order_number=row.order_number or None,
        kind=row.kind,
        role=row.role,
        email=row.email,
        subject=row.subject,
        state=row.state,
        attempts=row.attempts,
        last_error=row.last_error or None,
        attachment=row.attachment.name or None,
    )
