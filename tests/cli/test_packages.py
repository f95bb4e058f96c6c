"""Packages on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms
from tests.cli.test_shipments import SHIPMENT

FIRST = {
    "number": 1, "sscc": "095213210000000018", "tracking_number": "1Z1", "weight_grams": 8240, "length_mm": 400, "width_mm": 300,
    "height_mm": 255, "contents": [{"line_id": "1", "sku": "PUMP", "quantity": 3}], "delivered_at": None, "exception_at": None,
}  # fmt: skip
SECOND = {**FIRST, "number": 2, "sscc": None, "tracking_number": "1Z2", "length_mm": None}
SHIPPED = {**SHIPMENT, "state": "shipped", "carrier": "UPS", "tracking_number": "1Z1", "packages": [FIRST, SECOND]}


def _asked(api: FakeApi) -> Any:
    return next(asked.body for asked in api.asked if asked.method == "POST")


def test_packages_are_written_with_contents_weight_size_and_number(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/shipments/shp_1/pack", {**SHIPMENT, "state": "packed"})
    api.on("GET /v1/shipments/shp_1", {**SHIPMENT, "state": "packed"})

    answer = command(
        "shipments",
        "pack",
        "shp_1",
        "--package",
        "1=3,2:SEAL=12 kg=8.24 cm=40x30x25.5 tracking=1Z1",
        "--package",
        "1=1",
    )

    assert answer.code == 0
    assert _asked(api) == {
        "packages": [
            {
                "contents": [{"line_id": "1", "quantity": 3}, {"line_id": "2", "sku": "SEAL", "quantity": 12}],
                "weight_grams": 8240,
                "length_mm": 400,
                "width_mm": 300,
                "height_mm": 255,
                "tracking_number": "1Z1",
            },
            {"contents": [{"line_id": "1", "quantity": 1}]},
        ]
    }


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("3", "3 is no content: write LINE=UNITS, e.g. 1=3"),
        ("", "nothing is no content: write LINE=UNITS, e.g. 1=3"),
        ("1=3 kg=heavy", "kg=heavy is no weight: write kilograms, e.g. kg=8.2"),
        ("1=3 cm=40x30", "cm=40x30 is no size"),
        ("1=3 color=red", "color=red is none of kg=, cm= and tracking="),
    ],
)
def test_what_is_no_package_says_how_one_is_written(command: Oms, said: str, sentence: str) -> None:
    answer = command("shipments", "pack", "shp_1", "--package", said)

    assert answer.code != 0
    assert sentence in " ".join((answer.out + answer.err).split())


def test_each_package_is_shipped_under_its_number(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/shipments/shp_1/ship", SHIPPED)
    api.on("GET /v1/shipments/shp_1", SHIPPED)

    answer = command("shipments", "ship", "shp_1", "--tracking", "1Z1", "--tracking", "1Z2")

    assert _asked(api) == {"tracking_numbers": ["1Z1", "1Z2"]}
    assert answer.out == "SH-1001 of SO-1001 is shipped with UPS, tracking numbers 1Z1, 1Z2\n"


def test_a_list_says_how_many_packages_there_are(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/shipments", SHIPPED)
    api.on("GET /v1/shipments/shp_1", SHIPPED)

    listed, shown = command("shipments", "list"), command("shipments", "packages", "shp_1")

    assert "1Z1 and 1 more" in " ".join(listed.out.split())
    for said in ("095213210000000018", "8.24", "3 PUMP", "1Z2"):
        assert said in shown.out


def test_labels_are_saved_for_people_and_for_a_printer(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    api.on("GET /v1/shipments/shp_1/labels.pdf", "%PDF-1.7 labels")
    api.on("GET /v1/shipments/shp_1/labels.zpl", "^XA^XZ")

    api.on("GET /v1/shipments/shp_1/bill-of-lading.pdf", "%PDF-1.7 bill")
    bill = command("shipments", "bill-of-lading", "shp_1", "--output", str(tmp_path / "b.pdf"))

    assert (bill.code, (tmp_path / "b.pdf").read_text()) == (0, "%PDF-1.7 bill")
    for name, options in (("l.pdf", []), ("l.zpl", ["--zpl"])):
        assert command("shipments", "labels", "shp_1", *options, "--output", str(tmp_path / name)).code == 0

    assert ((tmp_path / "l.pdf").read_text(), (tmp_path / "l.zpl").read_text()) == ("%PDF-1.7 labels", "^XA^XZ")


def test_a_packing_slip_is_saved(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    api.on("GET /v1/shipments/shp_1/packing-slip.pdf", "%PDF-1.7 slip")

    answer = command("shipments", "packing-slip", "shp_1", "--output", str(tmp_path / "slip.pdf"))
    nowhere = command("shipments", "packing-slip", "shp_1", "--output", str(tmp_path / "no" / "slip.pdf"))

    assert answer.out.startswith("wrote ")
    assert (tmp_path / "slip.pdf").read_bytes() == b"%PDF-1.7 slip"
    assert "cannot be written" in nowhere.out + nowhere.err
