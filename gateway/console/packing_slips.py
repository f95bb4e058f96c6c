"""Packing slips, labels and bills of lading of shipments, as files."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.console.reversals import ShipmentNumber, find_shipment
from gateway.console.visitor import VisitorOf
from gateway.http.neighbors.packages import bill_of_lading, labels, packing_slip

router = APIRouter()


@router.get("/shipments/{number}/packing-slip.pdf")
def packing_slip_file(who: VisitorOf, number: ShipmentNumber) -> Response:
    """The packing slip, as the API gives it."""
    return packing_slip(who.deps, find_shipment(who, number).shipment_id)


@router.get("/shipments/{number}/labels.pdf")
def labels_file(who: VisitorOf, number: ShipmentNumber) -> Response:
    """The labels, as the API gives them."""
    return labels(who.deps, find_shipment(who, number).shipment_id, "pdf")


@router.get("/shipments/{number}/labels.zpl")
def printer_labels_file(who: VisitorOf, number: ShipmentNumber) -> Response:
    """The labels for a label printer, as the API gives them."""
    return labels(who.deps, find_shipment(who, number).shipment_id, "zpl")


@router.get("/shipments/{number}/bill-of-lading.pdf")
def bill_of_lading_file(who: VisitorOf, number: ShipmentNumber) -> Response:
    """The bill of lading, as the API gives it."""
    return bill_of_lading(who.deps, find_shipment(who, number).shipment_id)
