"""Deliveries: mails to people, those that could not be sent, and their retry."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from oms.notifications.v1 import notifications_pb2 as pb
from services.orders.api.access import CallerOf
from services.orders.api.deps import DepsOf
from services.orders.api.idempotency import OnceOf
from services.orders.api.inputs import IDENTITY, Identity
from services.orders.api.paging import Page, PagingOf

router = APIRouter(tags=["notifications"])


class Delivery(BaseModel):
    """A mail to one recipient."""

    delivery_id: str
    event_id: str
    order_id: str | None
    order_number: str | None
    kind: str
    role: str
    email: str
    subject: str
    state: str
    attempts: int
    last_error: str | None


@router.get("/v1/deliveries")
def list_deliveries(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    order_id: Annotated[Identity | None, Query()] = None,
    state: Annotated[Literal["waiting", "sent", "dead"] | None, Query()] = None,
) -> Page[Delivery]:
    """Mails, oldest first; `state=dead` is the dead-letter list."""
    found = deps.notifications.ListDeliveries(
        pb.ListDeliveriesRequest(order_id=order_id or "", state=state or "", limit=paging.limit, cursor=paging.cursor)
    )
    return Page(rows=[_delivery(row) for row in found.deliveries], next_cursor=found.next_cursor or None)


@router.post("/v1/deliveries/{delivery_id}/retry", response_model=Delivery)
def retry_delivery(
    deps: DepsOf, once: OnceOf, delivery_id: Annotated[str, Path(pattern=IDENTITY, max_length=64)]
) -> Response:
    """Put a dead mail back in line."""

    def act(_request_id: str) -> Delivery:
        wanted = pb.RetryDeliveryRequest(delivery_id=delivery_id)
        return _delivery(deps.notifications.RetryDelivery(wanted).delivery)

    return once.answer(None, act)


def _delivery(row: pb.Delivery) -> Delivery:
    return Delivery(
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
    )
