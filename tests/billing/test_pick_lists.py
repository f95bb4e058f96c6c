"""The pick list of a wave: read as a scanner and a person read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.documents import rendering
from services.billing.documents.pick_list_content import PickLine, PickList, PickShipment, pick_list_content
from services.billing.servicer import BillingServicer
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.test_packing_slips import pages, scanned
from tests.billing.test_return_labels import KESSLER

LIST = PickList(
    "WV-1001",
    "Dallas warehouse",
    "Pat Ames",
    date(2026, 12, 1),
    (
        PickLine("A-2", "SEAL-9", "Seal kit", (("SH-1001", 4), ("SH-1002", 8))),
        PickLine("A-10", "PUMP-100", "Centrifugal pump", (("SH-1001", 1200),)),
        PickLine("", "VALVE-7", "Ball valve", (("SH-1003", 1),)),
    ),
    (
        PickShipment("SH-1001", "SO-1001", date(2026, 12, 3)),
        PickShipment("SH-1002", "SO-1002", None),
        PickShipment("SH-1003", "SO-1003", date(2026, 12, 4)),
    ),
)


def _made(of: PickList = LIST) -> bytes:
    return rendering.pick_list(pick_list_content(of, KESSLER))


def test_a_scanner_reads_the_wave_and_each_of_its_shipments() -> None:
    found = scanned(_made(), 0)

    assert sorted(code[:2] for code in found) == [
        ("SH-1001", "Code128"), ("SH-1002", "Code128"), ("SH-1003", "Code128"), ("WV-1001", "Code128")
    ]  # fmt: skip


def test_a_person_reads_what_to_take_from_where_for_whom() -> None:
    (page,) = pages(_made())

    for said in (
        "Pick list WV-1001", "Dallas warehouse", "Pat Ames", "Dec 1, 2026", "A-2", "SEAL-9", "Seal kit", "12",
        "SH-1001: 4, SH-1002: 8", "PUMP-100", "1,200", "1,213", "SO-1002", "1,204 units, promised Dec 3, 2026",
        "8 units", "1 unit, promised Dec 4, 2026", "page 1 of 1",
    ):  # fmt: skip
        assert said in page, page
    assert page.index("SEAL-9") < page.index("PUMP-100") < page.index("VALVE-7")


def test_a_long_list_goes_on_over_pages_and_the_same_content_gives_the_same_bytes() -> None:
    lines = [PickLine(f"A-{n}", f"SKU-{n}", "W" * 80, (("SH-1001", n),)) for n in range(1, 300)]
    shipments = [PickShipment(f"SH-{n}", f"SO-{n}", None) for n in range(1001, 1061)]
    made = _made(replace(LIST, lines=lines, shipments=shipments))

    found = pages(made)

    assert "SKU-299" in "".join(found)
    codes = {code[0] for place in range(len(found)) for code in scanned(made, place)}
    assert codes == {"WV-1001", *(f"SH-{n}" for n in range(1001, 1061))}
    assert _made() == _made()


def _servicer() -> BillingServicer:
    database = cast(Any, SimpleNamespace(time_zone="America/Chicago"))
    return BillingServicer(database, seller=KESSLER, clock=lambda: datetime(2026, 12, 1, 3, tzinfo=UTC))


def _render(**members: Any) -> pb.RenderPickListResponse:
    line = pb.PickListLine(
        bin="A-2", sku="SEAL-9", description="Seal\nkit", takes=[pb.PickListTake(shipment_number="SH-1001", quantity=4)]
    )
    wanted: dict[str, Any] = {
        "number": "WV-1001", "warehouse": "Dallas", "picker": "Pat", "lines": [line],
        "shipments": [pb.PickListShipment(number="SH-1001", order_number="SO-1001", promised_on="2026-12-03")],
    }  # fmt: skip
    return _servicer().RenderPickList(pb.RenderPickListRequest(**wanted | members), cast(Any, None))


def test_it_is_printed_as_it_is_sent_on_the_companys_day() -> None:
    made = _render()

    (page,) = pages(made.pdf)
    assert made.name == "WV-1001-pick-list.pdf"
    # 03:00 UTC is the evening before in Chicago
    for said in ("Seal kit", "Nov 30, 2026", "4 units, promised Dec 3, 2026"):
        assert said in page


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"lines": []}, "NOTHING_TO_PICK"),
        ({"lines": [pb.PickListLine(sku="A")] * 2001}, "PICK_LIST_TOO_LONG"),
        ({"number": ""}, "FIELD_MISSING"),
        ({"number": "WV-٣"}, "BARCODE_TEXT"),
        ({"shipments": [pb.PickListShipment(number="SH-1", promised_on="soon")]}, "DATE_MALFORMED"),
    ],
)
def test_what_is_no_pick_list_is_refused(members: dict[str, Any], reason: str) -> None:
    with pytest.raises((InvalidArgument, Refused)) as refusal:
        _render(**members)

    assert refusal.value.reason == reason
