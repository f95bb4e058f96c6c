"""Recalls: units that a change asks back from the warehouse, and what the warehouse answers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Input, Text, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OfOrder, path_id
from gateway.http.plumbing.shapes import instant
from oms.fulfillment.v1 import fulfillment_pb2 as pb

router = APIRouter(tags=["shipments"])

State = Literal["pending", "acknowledged", "refused"]


class RecallLine(BaseModel):
    """Units of a shipment that are asked back."""

    shipment_id: str
    shipment_number: str
    warehouse_id: str | None = Field(description="Null for a service visit.")
    line_id: str
    sku: str
    description: str
    quantity: int


class Recall(BaseModel):
    """A question to the warehouse: will these units come back? Going on with a concerned shipment says no."""

    recall_id: str
    order_id: str
    order_number: str
    change_id: str = Field(description="What no longer wants them: a change order, or the hold of a reversed payment.")
    state: State
    reason: str | None = Field(description="Why it was answered so; null while it is pending.")
    since: str | None = Field(description="When it was asked.")
    answered_at: str | None
    lines: list[RecallLine]


class RecallAnswerInput(Input):
    """The warehouse's answer; a refusal says why."""

    answer: Literal["acknowledge", "refuse"]
    reason: Text = ""

    model_config = example(answer="refuse", reason="the pallet is on the truck")


@router.get("/v1/recalls")
def list_recalls(deps: DepsOf, _who: CallerOf, paging: PagingOf, order_id: OfOrder = None) -> Page[Recall]:
    """Recalls that wait for the warehouse's answer, oldest first."""
    found = deps.fulfillment.ListRecalls(
        pb.ListRecallsRequest(order_id=order_id or "", limit=paging.limit, cursor=paging.after("recalls"))
    )
    return Page(
        rows=[recall_shape(row) for row in found.recalls], next_cursor=sealed("recalls", found.next_cursor) or None
    )


@router.post("/v1/recalls/{recall_id}/answer", response_model=Recall)
def answer_recall(
    deps: DepsOf,
    _who: CallerOf,
    once: OnceWithKey,
    recall_id: Annotated[str, path_id("The recall's id.")],
    body: RecallAnswerInput,
) -> Response:
    """Answer a recall. Acknowledge: the units leave their shipments, and an empty one is canceled. Refuse: nothing changes."""

    def act(request_id: str) -> Recall:
        wanted = pb.AnswerRecallRequest(
            request_id=request_id,
            recall_id=recall_id,
            is_acknowledged=body.answer == "acknowledge",
            reason=body.reason,
        )
        return recall_shape(deps.fulfillment.AnswerRecall(wanted).recall)

    return once.answer(body, act)


def recall_shape(row: pb.Recall) -> Recall:
    """A recall as the API shows it."""
    return Recall.model_validate(
        {
            "recall_id": row.recall_id,
            "order_id": row.order_id,
            "order_number": row.order_number,
            "change_id": row.change_id,
            "state": pb.RecallState.Name(row.state).removeprefix("RECALL_STATE_").lower(),
            "reason": row.reason or None,
            "since": instant(row.requested_at_micros),
            "answered_at": instant(row.answered_at_micros),
            "lines": [
                RecallLine(
                    shipment_id=line.shipment_id,
                    shipment_number=line.shipment_number,
                    warehouse_id=line.warehouse_id or None,
                    line_id=line.line_id,
                    sku=line.sku,
                    description=line.description,
                    quantity=line.quantity,
                )
                for line in row.lines
            ],
        }
    )
