"""The labels of a shipment: read as scanners, label printers and people read them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.billing.v1 import billing_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2
from oms.types.v1 import types_pb2
from services.billing.documents import rendering
from services.billing.documents.packing_slip_content import PackingSlip
from services.billing.documents.shipping_label_content import shipping_label_content
from services.billing.documents.zpl import zpl_labels
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.test_packing_slips import FIRST, SLIP, pages, scanned, servicer_of
from tests.billing.test_return_labels import ACME, KESSLER

HOSTILE = "^XZ^XA~JA_5E\\&>:<b>Ünï 日本"


def made(slip: PackingSlip = SLIP) -> bytes:
    return rendering.shipping_labels(shipping_label_content(slip, KESSLER))


def test_scanners_read_the_companys_code_and_the_carriers_number_of_each_package() -> None:
    pdf = made()

    assert [sorted(scanned(pdf, page)) for page in (0, 1)] == [
        [("(00)095213210000000018", "Code128", "]C1"), ("1Z999AA10123456784", "Code128", "]C0")],
        [("(00)095213210000000025", "Code128", "]C1"), ("1Z999AA10123456785", "Code128", "]C0")],
    ]
    assert [tuple(map(round, page.get_size())) for page in pypdfium2.PdfDocument(pdf)] == [(288, 432)] * 2
    assert made() == pdf


def test_a_label_says_where_it_goes_and_which_package_it_is() -> None:
    first, second = pages(made())

    for said in (
        "ACME Bottling Co.",
        "SH-1001",
        "SO-1001",
        "PO-7",
        "1 of 2",
        "8.24 kg",
        "parcelway",
        "Dallas warehouse",
    ):
        assert said in first, first
    assert "2 of 2" in second
    assert "(00) 095213210000000018" in first


def test_without_a_gs1_prefix_and_a_carriers_number_the_shipments_is_the_one_code() -> None:
    plain = replace(SLIP, packages=(replace(FIRST, sscc="", tracking_number=""),))

    assert [code[:2] for code in scanned(made(plain), 0)] == [("SH-1001", "Code128")]
    assert "^BCN,150,N,N,N,A^FH^FDSH-1001^FS" in zpl_labels(plain, KESSLER)


def test_long_and_strange_texts_stay_on_their_label() -> None:
    place = replace(ACME, name="W" * 120, street=HOSTILE)
    long = replace(SLIP, ship_to=place, po_number="P" * 100, warehouse="Dépôt " * 20)

    assert ["Dallas, TX" in page.split("Shipment")[0] for page in pages(made(long))] == [True, True]
    assert [len(scanned(made(long), page)) for page in (0, 1)] == [2, 2]


def test_a_long_address_is_printed_smaller_and_whole() -> None:
    place = replace(ACME, name="W" * 120, street="9 " + "Long Street " * 10)

    short, long = (zpl_labels(replace(SLIP, ship_to=to), KESSLER) for to in (ACME, place))

    assert "^A0N,40,40^FB752,1,0,L^FH^FDACME Bottling Co.^FS" in short
    assert "".join(re.findall(r"\^FD(W+)\^FS", long))[:120] == "W" * 120
    tops = re.findall(r"\^FO30,(\d+)\^A0N,(\d+),\d+\^FB752,1,0,L\^FH\^FDDallas, TX 75202\^FS", long)
    assert [int(top) + int(height) < 530 for top, height in tops] == [True, True]


def test_a_label_printer_gets_a_format_for_each_package() -> None:
    zpl = zpl_labels(SLIP, KESSLER)

    assert (zpl.count("^XA"), zpl.count("^XZ")) == (2, 2)
    assert "^BCN,150,N,N,N,D^FD(00)095213210000000018^FS" in zpl
    assert "^BCN,130,N,N,N,A^FH^FD1Z999AA10123456784^FS" in zpl
    assert "^FDPackage: 1 of 2^FS" in zpl
    assert zpl.count("^FS") == zpl.count("^FD") + 4  # two lines are drawn on each label


@given(name=st.text(min_size=1, max_size=60), street=st.text(min_size=1, max_size=60))
def test_no_text_of_an_address_is_read_as_a_command(name: str, street: str) -> None:
    place = replace(ACME, name=f"{name}{HOSTILE}", street=street)
    zpl = zpl_labels(replace(SLIP, ship_to=place), KESSLER)

    texts = re.findall(r"\^FH\^FD(.*?)\^FS", zpl, re.DOTALL)
    assert (zpl.count("^XA"), zpl.count("^XZ")) == (2, 2)
    assert not [one for one in texts if {"^", "~", "\n"} & {*one}]
    assert set(re.findall(r"\^([A-Z]{2}|A0|B[CY])", zpl)) <= {
        "XA", "CI", "PW", "LL", "FO", "A0", "FB", "FH", "FD", "FS", "GB", "BY", "BC", "XZ",
    }  # fmt: skip


def asked(shipment: fulfillment_pb2.Shipment, written_as: str) -> pb.RenderShippingLabelsResponse:
    request = pb.RenderShippingLabelsRequest(shipment_id="shp_1", format=written_as)
    return servicer_of(shipment).RenderShippingLabels(request, cast(Any, None))


def test_a_packed_shipment_has_labels_in_both_forms_and_no_other() -> None:
    shipment = fulfillment_pb2.Shipment(
        number="SH-1001", order_number="SO-1001", warehouse_id="wh_1",
        ship_to=types_pb2.Address(name="ACME", city="Dallas", country="US"),
        packages=[fulfillment_pb2.Package(number=1, sscc="095213210000000018")], packed_at_micros=1_780_000_000_000_000,
    )  # fmt: skip

    pdf, zpl = (asked(shipment, written_as) for written_as in ("pdf", "zpl"))

    assert (pdf.name, pdf.content[:5]) == ("SH-1001-labels.pdf", b"%PDF-")
    assert (zpl.name, zpl.content[:3]) == ("SH-1001-labels.zpl", b"^XA")
    assert b"9 Rail St" in zpl.content
    with pytest.raises(InvalidArgument, match="pdf or zpl"):
        asked(shipment, "epl")


@pytest.mark.parametrize("is_service", [False, True])
def test_what_is_not_packed_has_none(is_service: bool) -> None:
    with pytest.raises(Refused, match="labels"):
        asked(fulfillment_pb2.Shipment(number="SH-1001", is_service=is_service), "pdf")
