"""The packing slip of a shipment: read as a scanner and a person read it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from oms.billing.v1 import billing_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing.documents import rendering
from services.billing.documents.code128 import gs1_widths
from services.billing.documents.packing_slip_content import PackingSlip, SlipLine, SlipPackage, packing_slip_content
from services.billing.servicer import BillingServicer
from services.billing.servicer_labels import LabelSources, nowhere
from services.kernel.clock import micros
from services.kernel.errors import Conflict, InvalidArgument, Refused
from tests.billing.test_return_labels import ACME, DOCK, KESSLER

PUMPS = SlipLine("PUMP-100", "Centrifugal pump", 3)
SEALS = SlipLine("SEAL-9", "Seal kit", 12)
FIRST = SlipPackage((PUMPS, SEALS), 8_240, "095213210000000018", "1Z999AA10123456784", (400, 300, 255))
SECOND = SlipPackage((PUMPS,), 5_000, "095213210000000025", "1Z999AA10123456785")
SLIP = PackingSlip(
    "SH-1001", "SO-1001", "PO-7", date(2026, 12, 1), ACME, "parcelway", (FIRST, SECOND), DOCK, "Dallas warehouse"
)


def _made(slip: PackingSlip = SLIP) -> bytes:
    return rendering.packing_slip(packing_slip_content(slip, KESSLER))


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def scanned(pdf: bytes, page: int) -> list[tuple[str, str, str]]:
    """Text, kind and symbology identifier of the codes on a page, as a scanner sees them; ]C1 is GS1-128."""
    bitmap = pypdfium2.PdfDocument(pdf)[page].render(scale=3, grayscale=True)
    pixels = memoryview(bytes(bitmap.buffer)).cast("B", (bitmap.height, bitmap.stride))
    return [(code.text, code.format.name, code.symbology_identifier) for code in zxingcpp.read_barcodes(pixels)]


def test_a_scanner_reads_the_code_of_each_package_as_gs1_128() -> None:
    made = _made()

    assert [scanned(made, page) for page in (0, 1)] == [
        [("(00)095213210000000018", "Code128", "]C1")],
        [("(00)095213210000000025", "Code128", "]C1")],
    ]


def test_without_a_gs1_prefix_the_number_of_the_shipment_is_the_barcode() -> None:
    made = _made(replace(SLIP, packages=(replace(FIRST, sscc=""),)))

    assert [code[:2] for code in scanned(made, 0)] == [("SH-1001", "Code128")]


def test_gs1_128_begins_as_the_standard_says_and_holds_pairs_of_digits_alone() -> None:
    assert gs1_widths("00").startswith("211232411131")  # start C, FNC1
    for digits in ("", "1", "12a4", "١٢"):
        with pytest.raises(InvalidArgument):
            gs1_widths(digits)


def test_each_package_has_a_page_with_what_is_in_it() -> None:
    first, second = pages(_made())

    for said in (
        "Packing slip SH-1001", "SO-1001", "PO-7", "Dec 1, 2026", "1 of 2", "8.24 kg", "40 × 30 × 25.5 cm", "parcelway",
        "1Z999AA10123456784", "ACME Bottling Co.", "Dallas warehouse", "PUMP-100", "Seal kit", "12", "15", "page 1 of 2",
    ):  # fmt: skip
        assert said in first, first
    assert "2 of 2" in second
    assert "SEAL-9" not in second
    assert "cm" not in second


def test_a_long_package_goes_on_over_pages_and_the_same_content_gives_the_same_bytes() -> None:
    many = [SlipLine(f"SKU-{number}", "W" * 80, number) for number in range(1, 400)]
    long = replace(SLIP, packages=(replace(FIRST, lines=many), SECOND))

    found = pages(_made(long))

    assert len(found) > 8
    assert "SKU-399" in "".join(found)
    assert all("SKU" in page for page in found)
    assert _made() == _made()


def servicer_of(shipment: fulfillment_pb2.Shipment) -> BillingServicer:
    there = types_pb2.Address(
        name="Dock", street="9 Rail St", city="Waco", region="TX", postal_code="76701", country="US"
    )
    warehouse = inventory_pb2.Warehouse(warehouse_id="wh_1", name="Waco", address=there)
    sources = LabelSources(nowhere().read_label, lambda: _one(warehouse), (), lambda _: shipment)
    database = cast(Any, SimpleNamespace(time_zone="America/Chicago"))

    def read_order(order_id: str) -> orders_pb2.Order:
        return orders_pb2.Order(order_id=order_id, po_number="PO-7781")

    return BillingServicer(database, seller=KESSLER, read_order=read_order, label_sources=sources)


def _one(warehouse: inventory_pb2.Warehouse) -> Sequence[inventory_pb2.Warehouse]:
    return [warehouse]


def _slip(servicer: BillingServicer) -> pb.RenderPackingSlipResponse:
    return servicer.RenderPackingSlip(pb.RenderPackingSlipRequest(shipment_id="shp_1"), cast(Any, None))


def test_billing_asks_fulfillment_for_the_shipment_orders_for_the_po_and_inventory_for_the_warehouse() -> None:
    contents = [types_pb2.LineQuantity(line_id="1", sku="PUMP-100", quantity=4)]
    shipment = fulfillment_pb2.Shipment(
        number="SH-1001",
        order_number="SO-1001",
        warehouse_id="wh_1",
        ship_to=types_pb2.Address(name="ACME", city="Dallas", country="US"),
        lines=[fulfillment_pb2.ShipmentLine(line_id="1", sku="PUMP-100", description="Big pump", quantity=4)],
        packages=[fulfillment_pb2.Package(number=1, contents=contents, sscc="095213210000000018")],
        packed_at_micros=micros(datetime(2026, 12, 1, 3, tzinfo=UTC)),
    )

    made = _slip(servicer_of(shipment))

    (page,) = pages(made.pdf)
    assert made.name == "SH-1001-packing-slip.pdf"
    # 03:00 UTC is the evening before in Chicago
    for said in ("PO-7781", "Big pump", "9 Rail St", "Nov 30, 2026", "ACME"):
        assert said in page


@pytest.mark.parametrize("is_service", [False, True])
def test_what_is_not_packed_has_no_slip(is_service: bool) -> None:
    with pytest.raises(Refused) as refusal:
        _slip(servicer_of(fulfillment_pb2.Shipment(number="SH-1001", is_service=is_service)))

    assert refusal.value.reason == "SHIPMENT_NOT_PACKED"


def test_while_fulfillment_is_away_the_slip_is_asked_for_again() -> None:
    servicer = servicer_of(fulfillment_pb2.Shipment())
    servicer.label_sources = nowhere()

    with pytest.raises(Conflict) as refusal:
        _slip(servicer)

    assert refusal.value.reason == "SHIPMENT_AWAY"
