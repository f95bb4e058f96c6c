"""`oms returns photos`, `label` and `in-transit`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms, claims
from tests.cli.test_returns import RETURN
from tests.pictures import JPEG

PHOTO: dict[str, Any] = {
    "photo_id": "photo_1", "stage": "request", "position": 1, "media_type": "image/jpeg", "size": len(JPEG), "sha256": "0",
    "added_at": "2026-03-02T09:00:00.000Z", "added_role": "customer",
}  # fmt: skip
PHOTOS = "/v1/returns/RMA-1001/photos"


def test_photos_are_added_in_the_role_of_their_side_listed_and_taken_away(
    command: Oms, api: FakeApi, tmp_path: Path
) -> None:
    file = tmp_path / "bent.jpg"
    file.write_bytes(JPEG)
    api.on("GET /v1/returns/RMA-1001", {**RETURN, "order_id": "ord_1"})
    api.on("GET /v1/orders/ord_1", {"order_id": "ord_1", "customer_id": "cus_1"})
    api.on(f"POST {PHOTOS}", PHOTO, 201)
    api.on(f"DELETE {PHOTOS}/photo_2", {"rows": []})
    api.on(f"GET {PHOTOS}", {"rows": [PHOTO]})

    answer = command(
        "returns", "photos", "RMA-1001", "--add", str(file), "--remove", "photo_2", "--role", "customer"
    )  # fmt: skip

    sent = next(one for one in api.asked if one.method == "POST")
    assert sent.body == JPEG
    assert claims(sent.headers["Authorization"])["company"] == "cus_1"
    assert [one.path for one in api.asked if one.method == "DELETE"] == [f"{PHOTOS}/photo_2"]
    assert all(word in answer.out for word in ("photo_1", "request", "image/jpeg"))


def test_what_is_no_file_or_too_large_is_refused_before_anything_is_sent(
    command: Oms, api: FakeApi, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(b"x" * ((5 << 20) + 1))

    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)

    answers = [
        command("returns", "photos", "RMA-1001", "--add", str(one)) for one in (large, tmp_path / "none.png", pipe)
    ]

    assert [one.code for one in answers] == [1, 1, 1]
    assert "is no file" in answers[2].err
    assert "more than 5 MiB" in answers[0].err
    assert "cannot be read" in answers[1].err
    assert [one for one in api.asked if one.method == "POST"] == []


def test_photos_and_the_label_are_written_to_files(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    api.on(f"GET {PHOTOS}", {"rows": [PHOTO]})
    api.on(f"GET {PHOTOS}/photo_1", "a picture")
    api.headers[f"GET {PHOTOS}/photo_1"] = {"Content-Disposition": 'inline; filename="RMA-1001-request-1.jpg"'}
    api.on("GET /v1/returns/RMA-1001/label.pdf", "%PDF-1.7")

    command("returns", "photos", "RMA-1001", "--save", str(tmp_path / "photos"))
    label = command("returns", "label", "RMA-1001", "--output", str(tmp_path / "label.pdf"))

    assert (tmp_path / "photos" / "RMA-1001-request-1.jpg").read_bytes() == b"a picture"
    assert (tmp_path / "label.pdf").read_bytes() == b"%PDF-1.7"
    assert "wrote" in label.out


def test_a_parcel_is_said_and_an_override_is_sent_with_the_request(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/returns/RMA-1001/in-transit", {**RETURN, "tracking_number": "PW 1", "carrier": "ups"})
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1", "number": "SO-1001", "customer_id": "cus_1"})
    api.on("POST /v1/returns", RETURN, 201)

    sent = command("returns", "in-transit", "RMA-1001", "--tracking", "PW 1", "--carrier", "ups")
    command("returns", "request", "SO-1001", "--line", "1=4", "--override", "burst")

    bodies = [one.body for one in api.asked if one.method == "POST"]
    assert bodies[0] == {"tracking_number": "PW 1", "carrier": "ups"}
    assert bodies[1]["override_reason"] == "burst"
    assert sent.out == "RMA-1001 is on its way, tracking PW 1\n"
