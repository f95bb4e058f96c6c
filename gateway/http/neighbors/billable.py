"""What has shipped and waits for its invoice, and invoices that accounting makes by hand before a policy does."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.invoices import Invoice, invoice_shape
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceWithKey
from gateway.http.plumbing.inputs import Identity, Input, Quantity, example
from gateway.http.plumbing.paging import Page, PagingOf, sealed
from gateway.http.plumbing.parameters import OfCustomer
from gateway.http.plumbing.shapes import MoneyShape, instant
from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.orders.order import lookup

router = APIRouter(tags=["invoices"])

Policy = Literal["per_delivery", "weekly", "monthly", "manual"]


class BillableLine(BaseModel):
    """Units of an order line that have left."""

    line_id: str
    quantity: int


class BillableShipment(BaseModel):
    """A shipment that has left and is not invoiced yet."""

    shipment_id: str
    order_id: str
    order_number: str
    customer_id: str = Field(description="Who is billed.")
    policy: Policy = Field(description="Its order's invoicing policy.")
    shipped_on: str
    invoice_on: str | None = Field(
        description="The day its invoice will bear: of the delivery, or the last of its week or month, after which it is made. Null while "
        "its goods are on the way, and where accounting invoices by hand."
    )
    waiting_on: Literal["delivery", "period", "accounting"] = Field(
        description="What makes its invoice: the delivery, the end of the week or month, or somebody in accounting."
    )
    waiting_since: str | None = Field(description="When billing heard that it left.")
    amount: MoneyShape = Field(
        description="What its invoice comes to, as the order stood when it left; a preview has it as it stands now."
    )
    lines: list[BillableLine]
    draft_id: str | None = Field(description="The draft that holds it; null for none.")


class InvoiceLineInput(Input):
    """Units of an order line."""

    line_id: Identity
    quantity: Quantity


class ShipmentsInput(Input):
    """Shipments of one order to invoice."""

    order_id: Identity = Field(description="The order's id or number.")
    shipments: Annotated[list[Identity], Field(max_length=2_000)] = Field(
        default=[],
        description="Ids of shipments that wait; all of the order that do, and that no draft holds, when left out.",
    )

    model_config = example(order_id="SO-1001", shipments=["shp_0198c7f2"])


class InvoiceInput(ShipmentsInput):
    """Shipments of one order to invoice now, or units of what is in them."""

    lines: Annotated[list[InvoiceLineInput], Field(max_length=2_000)] = Field(
        default=[],
        description="Units of lines to invoice of those shipments, the first to leave first; what is left of them waits. All of them when left out.",
    )

    model_config = example(order_id="SO-1001", shipments=["shp_0198c7f2"], lines=[{"line_id": "1", "quantity": 4}])


class InvoicePreview(BaseModel):
    """An invoice as it would be."""

    invoice: Invoice = Field(description="Without number and id; paid by what cash there is.")
    shipments: list[BillableShipment] = Field(description="What it would bill.")
    needs_second_person: bool = Field(
        description="It is over the limit (OMS_SECOND_PERSON_OVER): it takes a draft, which another person approves."
    )


@router.get("/v1/billable")
def list_billable(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    customer_id: OfCustomer = None,
    policy: Annotated[Policy | None, Query(description="Only of this policy.")] = None,
) -> Page[BillableShipment]:
    """Shipments that have left and wait for their invoice, the longest first."""
    found = deps.billing.ListBillable(
        pb.ListBillableRequest(
            customer_id=customer_id or "", policy=policy or "", limit=paging.limit, cursor=paging.after("billable")
        )
    )
    return Page(
        rows=[billable_shape(row) for row in found.shipments], next_cursor=sealed("billable", found.next_cursor) or None
    )


@router.post("/v1/invoices", status_code=201, response_model=Invoice)
def create_invoice(deps: DepsOf, body: InvoiceInput, once: OnceWithKey) -> Response:
    """Invoice shipments of one order by hand, whatever its policy, before that does, or some units of them. The invoice bears the day of today.

    What is on an invoice already is refused with its number, and what another one invoices at the same moment is on one invoice. More
    units of a line than wait are refused: `UNITS_NOT_WAITING`.
    """

    def act(request_id: str) -> Invoice:
        wanted = pb.CreateInvoiceRequest(request_id=request_id, of=by_hand(deps, body))
        return invoice_shape(deps.billing.CreateInvoice(wanted).invoice)

    return once.answer(body, act, 201)


@router.post("/v1/invoices/preview")
def preview_invoice(deps: DepsOf, _who: CallerOf, body: InvoiceInput) -> InvoicePreview:
    """What that invoice would be now; nothing changes. It is refused as the invoice is."""
    return preview_shape(deps.billing.PreviewInvoice(pb.PreviewInvoiceRequest(of=by_hand(deps, body))))


def by_hand(deps: Deps, body: ShipmentsInput) -> pb.InvoiceByHand:
    """What billing is asked; NotFound for an order that does not exist."""
    with deps.database.reading() as session:
        order_id = lookup.find_id(session, body.order_id)
    wanted = body.lines if isinstance(body, InvoiceInput) else []
    lines = [types_pb2.LineQuantity(line_id=one.line_id, quantity=one.quantity) for one in wanted]
    return pb.InvoiceByHand(order_id=order_id, shipment_ids=body.shipments, lines=lines)


def preview_shape(seen: pb.PreviewInvoiceResponse) -> InvoicePreview:
    """A preview as the API shows it."""
    return InvoicePreview(
        invoice=invoice_shape(seen.invoice),
        shipments=[billable_shape(row) for row in seen.shipments],
        needs_second_person=seen.needs_second_person,
    )


def billable_shape(row: pb.BillableShipment) -> BillableShipment:
    """A shipment that waits, as the API shows it."""
    return BillableShipment.model_validate(
        {
            "shipment_id": row.shipment_id,
            "order_id": row.order_id,
            "order_number": row.order_number,
            "customer_id": row.customer_id,
            "policy": row.policy,
            "shipped_on": row.shipped_on,
            "invoice_on": row.invoice_on or None,
            "waiting_on": _waiting_on(row),
            "waiting_since": instant(row.recorded_at_micros),
            "amount": MoneyShape.of_minor(row.amount.minor_units, row.amount.currency),
            "lines": [BillableLine(line_id=line.line_id, quantity=line.quantity) for line in row.lines],
            "draft_id": row.draft_id or None,
        }
    )


def _waiting_on(row: pb.BillableShipment) -> str:
    if row.policy == "manual" or row.draft_id:
        return "accounting"
    return "delivery" if row.policy == "per_delivery" else "period"
