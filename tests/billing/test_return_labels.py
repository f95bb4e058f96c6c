"""The label of a return: read as a scanner and as a person reads it."""

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
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing.documents import rendering
from services.billing.documents.code128 import widths
from services.billing.documents.label_content import ReturnLabel, label_content
from services.billing.documents.seller import Seller
from services.billing.domain.headers import Address
from services.billing.servicer import BillingServicer
from services.billing.servicer_labels import LabelSources
from services.kernel.clock import micros
from services.kernel.errors import Conflict, InvalidArgument
from services.runtime.grpc_client import Unreachable

ACME = Address("ACME Bottling Co.", "1200 Commerce St", "Dallas", "TX", "75202", "US")
DOCK = Address("Kessler Pumps", "4100 Inwood Rd, Dock 9", "Dallas", "TX", "75209", "US")
KESSLER = Seller("Kessler Pumps", ("1 Main St", "Dallas, TX 75201"))
LABEL = ReturnLabel("RMA-1001", "SO-1001", 3, ACME, date(2026, 11, 30), date(2026, 12, 30), DOCK, "Dallas warehouse")


def _made(label: ReturnLabel = LABEL, seller: Seller = KESSLER, returns_to: Sequence[str] = ()) -> bytes:
    return rendering.label(label_content(label, seller, returns_to))


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def _scanned(pdf: bytes) -> list[tuple[str, str]]:
    """Text and kind of the codes on its page, as a scanner sees them."""
    bitmap = pypdfium2.PdfDocument(pdf)[0].render(scale=3, grayscale=True)
    pixels = memoryview(bytes(bitmap.buffer)).cast("B", (bitmap.height, bitmap.stride))
    return [(code.text, code.format.name) for code in zxingcpp.read_barcodes(pixels)]


@pytest.mark.parametrize("number", ["RMA-1001", "RMA-123456789", "aZ 09~!"])
def test_a_scanner_reads_the_number_of_the_return(number: str) -> None:
    assert _scanned(_made(replace(LABEL, number=number))) == [(number, "Code128")]


def test_a_barcode_begins_and_ends_as_the_standard_says_and_holds_printable_ascii_alone() -> None:
    assert widths("RMA-1001").startswith("211214")  # start B
    assert widths("RMA-1001").endswith("2331112")
    for text in ("", "é", "tab\t"):
        with pytest.raises(InvalidArgument):
            widths(text)


def test_it_says_from_whom_where_to_until_when_and_what_to_do() -> None:
    text = _text(_made())

    for said in (
        "ACME Bottling Co.",
        "Dallas warehouse",
        "4100 Inwood Rd, Dock 9",
        "SO-1001",
        "Dec 30, 2026",
        "Drop it off",
        "no postage",
    ):
        assert said in text, text
    assert "1 Main St" not in text


def test_all_returns_go_to_the_place_that_is_set_for_them_and_without_any_to_the_company() -> None:
    desk = _text(_made(returns_to=("Dock 9", "Waco, TX 76701")))
    nowhere = _text(_made(replace(LABEL, place=None, warehouse="")))

    assert "Waco, TX 76701" in desk
    assert "Inwood" not in desk
    assert "1 Main St" in nowhere


def test_the_longest_addresses_stay_on_one_page_and_the_code_is_read() -> None:
    long = Address("W" * 120, "9 Very Long Street Name " * 8, "Llanfairpwllgwyngyll" * 3, "TX", "75209", "MX")

    made = _made(replace(LABEL, comes_from=long, place=long, warehouse="Q" * 60))

    assert len(PdfReader(io.BytesIO(made)).pages) == 1
    assert _scanned(made) == [("RMA-1001", "Code128")]


def _servicer(sources: LabelSources) -> BillingServicer:
    database = cast(Any, SimpleNamespace(time_zone="America/Chicago"))
    return BillingServicer(database, seller=KESSLER, label_sources=sources)


def test_billing_asks_orders_for_the_return_and_inventory_for_the_warehouse() -> None:
    noon = micros(datetime(2026, 12, 30, 12, tzinfo=UTC))
    said = orders_pb2.GetReturnLabelResponse(
        number="RMA-1001", order_number="SO-1001", units=2, warehouse_id="wh_1", authorized_micros=noon, valid_until_micros=noon,
        comes_from=types_pb2.Address(name="ACME", city="Dallas", country="US"),
    )  # fmt: skip
    there = types_pb2.Address(
        name="Dock", street="9 Rail St", city="Waco", region="TX", postal_code="76701", country="US"
    )
    sources = LabelSources(
        lambda _: said, lambda: [inventory_pb2.Warehouse(warehouse_id="wh_1", name="Waco", address=there)]
    )

    made = _servicer(sources).RenderReturnLabel(pb.RenderReturnLabelRequest(return_id="rma_1"), cast(Any, None))

    assert made.name == "RMA-1001-label.pdf"
    assert "9 Rail St" in _text(made.pdf)


def test_while_orders_is_away_the_label_is_asked_for_again() -> None:
    def away(_: str) -> orders_pb2.GetReturnLabelResponse:
        raise Unreachable("away")

    with pytest.raises(Conflict) as refused:
        _servicer(LabelSources(away, tuple)).RenderReturnLabel(
            pb.RenderReturnLabelRequest(return_id="rma_1"), cast(Any, None)
        )

    assert refused.value.reason == "ORDERS_AWAY"
