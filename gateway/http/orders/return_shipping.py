"""How goods come back: the label of a return, and its parcel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field
from sqlmodel import Session

from gateway.http.orders.return_shapes import ReturnShape, return_shape
from gateway.http.orders.returns import ReturnReference, found_return
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.files import DEADLINE_S, PdfResponse, as_file, described
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Identity, Input, example
from oms.billing.v1 import billing_pb2 as billing
from services.orders.access.matrix import Caller
from services.orders.returns import on_the_way, reading

router = APIRouter(tags=["returns"])

TRACKING = r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$"
TrackingNumber = Annotated[str, Field(min_length=1, max_length=64, pattern=TRACKING)]
_REFUSED = (
    "`RETURN_HAS_NO_LABEL`: it has one from its authorization until no more of it may come, "
    "and none where its goods were stopped on their way. "
    "`ORDERS_AWAY`: ask again in a few seconds."
)


class ReturnParcelInput(Input):
    """The parcel that goods come back in."""

    tracking_number: TrackingNumber
    carrier: Identity | None = Field(default=None, description="Who brings it.", examples=["parcelway"])

    model_config = example(tracking_number="PW 4711 0815", carrier="parcelway")


@router.get("/v1/returns/{return_id}/label.pdf", response_class=PdfResponse, responses=described(PdfResponse, _REFUSED))
def get_return_label(deps: DepsOf, who: CallerOf, return_id: ReturnReference) -> Response:
    """The label of a return as a PDF: its number as a barcode, where it goes, and what to do with it."""
    return label_document(deps, who, return_id)


@router.post("/v1/returns/{return_id}/in-transit", response_model=ReturnShape)
def send_return(
    deps: DepsOf, who: CallerOf, once: OnceOf, return_id: ReturnReference, body: ReturnParcelInput
) -> Response:
    """Say that the goods of a return are on their way, and in which parcel; said again, the later number counts. Nobody sends what was stopped on its way."""

    def do(session: Session) -> ReturnShape:
        found, _ = reading.find_id(session, return_id, who.scope)
        carrier, tracking = body.carrier or "", body.tracking_number
        done = on_the_way.record(session, found, who, carrier, tracking, deps.contacts, deps.clock())
        return return_shape(done, who)

    return once.answer_here(body, do)


def label_document(deps: Deps, who: Caller, reference: str) -> Response:
    """The label of a return that the caller may see."""
    found = found_return(deps, who, reference)
    asked = billing.RenderReturnLabelRequest(return_id=found.return_id)
    made = deps.billing.RenderReturnLabel(asked, timeout=DEADLINE_S)
    return as_file(PdfResponse, made.pdf, made.name)
