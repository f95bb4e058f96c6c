"""Documents of orders: the confirmation and the pro forma invoice, as PDFs."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.files import DEADLINE_S, PdfResponse, as_file, described
from gateway.http.plumbing.parameters import OrderReference
from oms.billing.v1 import billing_pb2 as pb
from services.orders.access.matrix import Caller
from services.orders.order import lookup

router = APIRouter(tags=["orders"])

CONFIRMATION, PRO_FORMA = "order_confirmation", "pro_forma"
_NOT_ACCEPTED = "`ORDER_NOT_ACCEPTED`: it has a confirmation once it is. `DOCUMENTS_BUSY`, `ORDERS_AWAY`: ask again in a few seconds."
_ENDED = "`ORDER_HAS_ENDED`: nothing is to be paid in advance any more. `DOCUMENTS_BUSY`, `ORDERS_AWAY`: ask again in a few seconds."


@router.get(
    "/v1/orders/{order_id}/confirmation.pdf",
    response_class=PdfResponse,
    responses=described(PdfResponse, _NOT_ACCEPTED),
)
def get_confirmation(deps: DepsOf, who: CallerOf, order_id: OrderReference) -> Response:
    """The confirmation of an accepted order as a PDF: what was ordered, at which prices, and where it goes."""
    return order_document(deps, who, order_id, CONFIRMATION)


@router.get("/v1/orders/{order_id}/pro-forma.pdf", response_class=PdfResponse, responses=described(PdfResponse, _ENDED))
def get_pro_forma(deps: DepsOf, who: CallerOf, order_id: OrderReference) -> Response:
    """The pro forma invoice of an order as a PDF: what is to be paid before its goods leave. It is not a tax invoice."""
    return order_document(deps, who, order_id, PRO_FORMA)


def order_document(deps: Deps, who: Caller, reference: str, document: str) -> Response:
    """A document of an order that the caller may see, by id or number."""
    with deps.database.reading() as session:
        order_id = lookup.find_id(session, reference, who.scope)
    made = deps.billing.RenderOrder(pb.RenderOrderRequest(order_id=order_id, document=document), timeout=DEADLINE_S)
    return as_file(PdfResponse, made.pdf, made.name)
