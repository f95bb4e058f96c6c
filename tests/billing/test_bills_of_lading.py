"""The bill of lading of a shipment: what a carrier signs for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2
from oms.types.v1 import types_pb2
from services.billing.documents import rendering
from services.billing.documents.bill_of_lading_content import bill_of_lading_content
from services.billing.documents.packing_slip_content import PackingSlip
from services.kernel.errors import Refused
from tests.billing.test_packing_slips import FIRST, PUMPS, SLIP, pages, scanned, servicer_of
from tests.billing.test_return_labels import KESSLER


def made(slip: PackingSlip = SLIP) -> bytes:
    return rendering.bill_of_lading(bill_of_lading_content(slip, KESSLER))


def test_it_says_who_gives_what_to_whom_and_where_both_sign() -> None:
    pdf = made()
    (page,) = pages(pdf)

    for said in (
        "Bill of lading SH-1001", "SO-1001", "PO-7", "parcelway", "Dallas warehouse", "ACME Bottling Co.", "3 × Centrifugal pump",
        "12 × Seal kit", "(00) 095213210000000018", "1Z999AA10123456784", "40 × 30 × 25.5 cm", "8.24 kg", "13.24 kg",
        "Carrier, name, date and signature",
    ):  # fmt: skip
        assert said in page, page
    assert [code[:2] for code in scanned(pdf, 0)] == [("SH-1001", "Code128")]
    assert made() == pdf


def test_what_nobody_weighed_has_no_weight_and_neither_has_the_whole() -> None:
    (page,) = pages(made(replace(SLIP, packages=(FIRST, replace(FIRST, weight_grams=0)))))

    assert page.count("kg") == 1


def test_of_many_articles_the_first_are_named() -> None:
    many = replace(FIRST, lines=[replace(PUMPS, description=f"Pump {number}") for number in range(9)])
    (page,) = pages(made(replace(SLIP, packages=(many,))))

    assert "3 × Pump 2 and 6 more" in " ".join(page.split())


def test_two_hundred_packages_go_on_over_pages() -> None:
    found = pages(made(replace(SLIP, packages=(FIRST,) * 200)))

    assert len(found) > 5
    assert "page 1 of" in found[0]
    assert "Carrier, name, date and signature" in found[-1]


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_packed_shipment_has_one_and_no_other(is_packed: bool) -> None:
    shipment = fulfillment_pb2.Shipment(
        number="SH-1001", warehouse_id="wh_1", ship_to=types_pb2.Address(name="ACME", city="Dallas", country="US"),
        packages=[fulfillment_pb2.Package(number=1)] if is_packed else [], packed_at_micros=1_780_000_000_000_000,
    )  # fmt: skip
    request = pb.RenderBillOfLadingRequest(shipment_id="shp_1")

    if is_packed:
        answer = servicer_of(shipment).RenderBillOfLading(request, cast(Any, None))
        assert (answer.name, answer.pdf[:5]) == ("SH-1001-bill-of-lading.pdf", b"%PDF-")
    else:
        with pytest.raises(Refused, match="bill of lading"):
            servicer_of(shipment).RenderBillOfLading(request, cast(Any, None))
