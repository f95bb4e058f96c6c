"""Packages of shipments: how they are packed, shown and printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.files import DEADLINE_S, PdfResponse, ZplResponse, as_file, described
from gateway.http.plumbing.inputs import Identity, Input, Quantity, Sku, example
from gateway.http.plumbing.parameters import path_id
from gateway.http.plumbing.shapes import instant
from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.kernel.bounds import MAX_LINES

router = APIRouter(tags=["shipments"])

ShipmentId = Annotated[str, path_id("The shipment's id.")]
CarriersNumber = Annotated[
    str,
    Field(
        min_length=4,
        max_length=40,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$",
        description="The carrier's number of the package, as on its label; blanks are left out.",
        examples=["1Z999AA10123456784"],
    ),
]
Measure = Annotated[int, Field(ge=0, le=100_000)]
Grams = Annotated[int, Field(ge=0, le=100_000_000)]
_REFUSED = (
    "`SHIPMENT_NOT_PACKED`: pack it first. `SHIPMENT_AWAY`, `DOCUMENTS_BUSY`: ask again in a few seconds. "
    "`DOCUMENT_NOT_MADE`: it is too long to be made."
)


class PackedLineInput(Input):
    """Units of a line of the shipment that are in a package."""

    line_id: Identity
    sku: Sku | None = Field(default=None, description="Needed where the line has several, such as a kit.")
    quantity: Annotated[Quantity, Field(gt=0)]


class PackageInput(Input):
    """One package."""

    contents: list[PackedLineInput] = Field(min_length=1, max_length=MAX_LINES)
    weight_grams: Grams | None = Field(default=None, description="What it weighs; without it, what its contents weigh.")
    length_mm: Measure | None = None
    width_mm: Measure | None = None
    height_mm: Measure | None = None
    tracking_number: CarriersNumber | None = Field(default=None, description="May be given when it ships, too.")

    def message(self) -> pb.Package:
        """The package as fulfillment reads it."""
        return pb.Package(
            weight_grams=self.weight_grams or 0,
            length_mm=self.length_mm or 0,
            width_mm=self.width_mm or 0,
            height_mm=self.height_mm or 0,
            tracking_number=self.tracking_number or "",
            contents=[
                types.LineQuantity(line_id=line.line_id, sku=line.sku or "", quantity=line.quantity)
                for line in self.contents
            ],
        )


class PackInput(Input):
    """The packages of a shipment, in which each of its units is once; none means one package with everything."""

    packages: Annotated[list[PackageInput], Field(max_length=200)] = []

    model_config = example(
        packages=[
            {"contents": [{"line_id": "1", "quantity": 3}], "weight_grams": 8200, "length_mm": 400, "width_mm": 300, "height_mm": 250},
            {"contents": [{"line_id": "1", "quantity": 1}], "weight_grams": 2900},
        ]
    )  # fmt: skip


class PackedLine(BaseModel):
    """Units of a line in a package."""

    line_id: str
    sku: str
    quantity: int


class Package(BaseModel):
    """One package of a shipment."""

    number: int = Field(description="Counts the packages of the shipment from 1.")
    sscc: str | None = Field(
        description="Its serial shipping container code, 18 digits; null where the company has no GS1 prefix.",
        examples=["095213210000000018"],
    )
    tracking_number: str | None = Field(description="The carrier's number of it; null while nobody has given one.")
    weight_grams: int
    length_mm: int | None = Field(description="Null where nobody measured it; so are width and height.")
    width_mm: int | None
    height_mm: int | None
    contents: list[PackedLine]
    delivered_at: str | None
    exception_at: str | None = Field(description="When the carrier last told of a problem with it.")
    problem: str | None = Field(
        description="What problem: exception, failed_attempt, damaged, returned_to_sender or lost; null without one."
    )


@router.get(
    "/v1/shipments/{shipment_id}/packing-slip.pdf",
    response_class=PdfResponse,
    responses=described(PdfResponse, _REFUSED),
)
def get_packing_slip(deps: DepsOf, _who: CallerOf, shipment_id: ShipmentId) -> Response:
    """The packing slip as a PDF: a page for each package with its contents and its code as a barcode (GS1-128)."""
    return packing_slip(deps, shipment_id)


def packing_slip(deps: Deps, shipment_id: str) -> Response:
    """The packing slip of a shipment."""
    made = deps.billing.RenderPackingSlip(billing.RenderPackingSlipRequest(shipment_id=shipment_id), timeout=DEADLINE_S)
    return as_file(PdfResponse, made.pdf, made.name)


@router.get(
    "/v1/shipments/{shipment_id}/labels.pdf",
    response_class=PdfResponse,
    responses=described(PdfResponse, _REFUSED),
)
def get_labels(deps: DepsOf, _who: CallerOf, shipment_id: ShipmentId) -> Response:
    """Its labels as a PDF of 4 by 6 inches, one a package: addresses, its code as GS1-128 and the carrier's number as Code 128."""
    return labels(deps, shipment_id, "pdf")


@router.get(
    "/v1/shipments/{shipment_id}/labels.zpl",
    response_class=ZplResponse,
    responses=described(ZplResponse, _REFUSED),
)
def get_printer_labels(deps: DepsOf, _who: CallerOf, shipment_id: ShipmentId) -> Response:
    """The same for a label printer: ZPL II at 203 dots an inch."""
    return labels(deps, shipment_id, "zpl")


@router.get(
    "/v1/shipments/{shipment_id}/bill-of-lading.pdf",
    response_class=PdfResponse,
    responses=described(PdfResponse, _REFUSED),
)
def get_bill_of_lading(deps: DepsOf, _who: CallerOf, shipment_id: ShipmentId) -> Response:
    """Its bill of lading as a PDF: shipper, consignee, carrier, a row for each package, and where both sign."""
    return bill_of_lading(deps, shipment_id)


def bill_of_lading(deps: Deps, shipment_id: str) -> Response:
    """The bill of lading of a shipment."""
    wanted = billing.RenderBillOfLadingRequest(shipment_id=shipment_id)
    made = deps.billing.RenderBillOfLading(wanted, timeout=DEADLINE_S)
    return as_file(PdfResponse, made.pdf, made.name)


def labels(deps: Deps, shipment_id: str, written_as: str) -> Response:
    """The labels of a shipment."""
    wanted = billing.RenderShippingLabelsRequest(shipment_id=shipment_id, format=written_as)
    made = deps.billing.RenderShippingLabels(wanted, timeout=DEADLINE_S)
    return as_file(ZplResponse if written_as == "zpl" else PdfResponse, made.content, made.name)


def package_shapes(packages: Sequence[pb.Package]) -> list[Package]:
    """Packages as they are shown."""
    return [
        Package(
            number=each.number,
            sscc=each.sscc or None,
            tracking_number=each.tracking_number or None,
            weight_grams=each.weight_grams,
            length_mm=each.length_mm or None,
            width_mm=each.width_mm or None,
            height_mm=each.height_mm or None,
            contents=[PackedLine(line_id=line.line_id, sku=line.sku, quantity=line.quantity) for line in each.contents],
            delivered_at=instant(each.delivered_at_micros),
            exception_at=instant(each.exception_at_micros),
            problem=each.problem or None,
        )
        for each in packages
    ]
