"""`oms waves`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

WAVE: dict[str, Any] = {
    "wave_id": "wav_1", "number": "WV-1001", "warehouse_id": "wh_1", "picker": "pat", "created_by": "wes",
    "created_at": "2026-12-01T09:00:00.000Z", "is_open": True, "closed_at": None, "is_cancelled": False, "shipment_count": 2,
    "to_pick_count": 2,
}  # fmt: skip
SHIPMENT = {"shipment_id": "shp_1", "number": "SH-1001", "warehouse_id": "wh_1"}


def test_the_next_that_are_due_become_a_wave(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/waves", WAVE, 201)

    made = command("waves", "create", "--warehouse", "wh_1", "--next", "20", "--picker", "pat")

    assert api.asked[0].body == {"warehouse_id": "wh_1", "next": 20, "picker": "pat"}
    assert made.out == "WV-1001: 2 shipments for pat to pick\n"


def test_shipments_are_chosen_by_their_numbers(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/shipments", SHIPMENT)
    api.page("GET /v1/shipments", SHIPMENT | {"shipment_id": "shp_2", "number": "SH-1002"})
    api.on("POST /v1/waves", WAVE, 201)

    command("waves", "create", "sh-1001", "SH-1002")

    assert [one.query.get("number") for one in api.asked[:2]] == ["SH-1001", "SH-1002"]
    assert api.asked[2].body == {"warehouse_id": "wh_1", "shipment_ids": ["shp_1", "shp_2"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name shipments, or give --next"),
        (("SH-1001", "--next", "3"), "name shipments, or give --next"),
        (("--next", "3"), "say of which warehouse"),
        (("SH-9",), "there is no shipment SH-9"),
    ],
)
def test_what_is_no_wave_is_refused_before_anything_is_made(
    command: Oms, api: FakeApi, arguments: tuple[str, ...], said: str
) -> None:
    api.page("GET /v1/shipments")

    refused = command("waves", "create", *arguments)

    assert (refused.code, said in refused.err) == (1, True)
    assert all(one.method == "GET" for one in api.asked)


def test_a_wave_is_listed_shown_and_canceled(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/waves", WAVE)
    line = {
        "bin": "A-01-3", "sku": "PUMP-100", "description": "Pump", "quantity": 1200,
        "takes": [{"shipment_number": "SH-1001", "quantity": 1000}, {"shipment_number": "SH-1002", "quantity": 200}],
    }  # fmt: skip
    shipment = {
        "shipment_id": "shp_1", "number": "SH-1001", "order_number": "SO-1001", "state": "released", "promised_on": "2026-12-03",
        "quantity": 1000, "recall_requested": False,
    }  # fmt: skip
    api.on("GET /v1/waves/WV-1001", WAVE | {"shipments": [shipment], "pick_list": [line]})
    api.on("POST /v1/waves/WV-1001/cancel", WAVE | {"is_cancelled": True, "shipment_count": 1})

    listed, shown = command("waves", "--all"), command("waves", "show", "WV-1001")
    cancelled = command("waves", "cancel", "WV-1001")

    assert api.asked[0].query["all"] == "true"
    assert all(word in listed.out for word in ("WV-1001", "wh_1", "pat"))
    assert "WV-1001 of wh_1 is open, picked by pat" in shown.out
    assert all(word in shown.out for word in ("A-01-3", "1,200", "SH-1001: 1,000, SH-1002: 200", "SO-1001"))
    assert cancelled.out == "WV-1001 is canceled; 1 of its shipments had been picked\n"


def test_a_pick_list_is_saved_under_its_own_name(
    command: Oms, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    api.on("GET /v1/waves/WV-1001/pick-list.pdf", "%PDF-1.7")
    api.headers["GET /v1/waves/WV-1001/pick-list.pdf"] = {
        "Content-Disposition": 'attachment; filename="WV-1001-pick-list.pdf"'
    }

    saved = command("waves", "pick-list", "WV-1001")
    elsewhere = command("waves", "pick-list", "WV-1001", "--output", str(tmp_path / "none" / "x.pdf"))

    assert saved.out == "wrote WV-1001-pick-list.pdf\n"
    assert (tmp_path / "WV-1001-pick-list.pdf").read_bytes() == b"%PDF-1.7"
    assert (elsewhere.code, "cannot be written" in elsewhere.err) == (1, True)
