"""Photos of returns over HTTP: what is taken, who reads it with which headers, and that nothing is kept of what is refused."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.orders.returns.photo_sweep import PhotoSweep
from tests.api.conftest import World
from tests.orders.desk import Desk
from tests.orders.test_returns import _ask, _count, _delivered
from tests.pictures import JPEG, WEBP, archive, png

MIB = 1 << 20


@pytest.fixture
def desk(world: World) -> Desk:
    """The order desk over the same database, with its own master data."""
    return Desk(world.database)


def _folder(world: World) -> list[str]:
    folder: Path = world.keys_dir / "photos"
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []


async def _add(world: World, number: str, content: bytes, role: str = "customer", **more: Any) -> httpx.Response:
    headers = {"Content-Type": "image/jpeg"}
    return await world.send("POST", f"/v1/returns/{number}/photos", role, content=content, headers=headers, **more)


async def test_a_photo_is_kept_listed_and_served_as_nothing_but_a_picture(world: World, desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 5)
    path = f"/v1/returns/{asked.number}/photos"

    added = [await _add(world, asked.number, one) for one in (JPEG, png(), WEBP)]
    again = await _add(world, asked.number, png())
    listed = (await world.send("GET", path, "support")).json()["rows"]
    shown = await world.send("GET", f"{path}/{listed[1]['photo_id']}", "customer")

    assert [one.status_code for one in added] == [201] * 3
    assert again.json()["photo_id"] == added[1].json()["photo_id"]
    assert [(one["stage"], one["position"], one["media_type"]) for one in listed] == [
        ("request", 1, "image/jpeg"), ("request", 2, "image/png"), ("request", 3, "image/webp"),
    ]  # fmt: skip
    assert (shown.status_code, shown.content) == (200, png())
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"].startswith("private")
    assert shown.headers["content-disposition"] == f'inline; filename="{asked.number}-request-2.png"'
    assert _folder(world) == sorted(one["photo_id"] for one in listed)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "PHOTO_TYPE"),
        (archive(), 422, "PHOTO_TYPE"),
        (b'{"a": 1}', 422, "PHOTO_TYPE"),
        (JPEG[:-9], 422, "PHOTO_DAMAGED"),
        (png(padding=5 * MIB), 422, "PHOTO_TOO_LARGE"),
    ],
)
async def test_what_is_no_photo_is_refused_with_a_sentence_and_leaves_nothing(
    world: World, desk: Desk, content: bytes, status: int, code: str
) -> None:
    asked = _ask(desk, _delivered(desk), 5)

    answer = await _add(world, asked.number, content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert _folder(world) == []
    assert (await world.send("GET", f"/v1/returns/{asked.number}/photos", "support")).json() == {"rows": []}


async def test_the_largest_photo_is_taken_and_other_operations_keep_their_bound(world: World, desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 5)
    room = 5 * MIB - len(png(padding=0))

    largest = await _add(world, asked.number, png(padding=room))
    elsewhere = await world.send(
        "POST", f"/v1/returns/{asked.number}/in-transit", "customer", json={"tracking_number": "x" * (2 * MIB)}
    )

    assert (largest.status_code, largest.json()["size"]) == (201, 5 * MIB)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (413, "BODY_TOO_LARGE")


async def test_the_eleventh_photo_is_refused_until_one_is_taken_away(world: World, desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 5)
    ten = [(await _add(world, asked.number, png(shade=shade))).json() for shade in range(10)]

    eleventh = await _add(world, asked.number, png(shade=99))
    path = f"/v1/returns/{asked.number}/photos"
    gone = [await world.send("DELETE", f"{path}/{ten[3]['photo_id']}", "customer") for _ in range(2)]
    then = await _add(world, asked.number, png(shade=99))

    assert (eleventh.status_code, eleventh.json()["code"]) == (409, "TOO_MANY_PHOTOS")
    assert [one.status_code for one in gone] == [200, 404]
    assert (then.status_code, then.json()["position"]) == (201, 4)
    assert len(_folder(world)) == 10


async def test_only_who_reads_the_return_reads_its_photos(world: World, desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 5)
    photo = (await _add(world, asked.number, JPEG)).json()["photo_id"]
    other = _ask(desk, _delivered(desk), 5)
    rival = {"company": "cus_rival"}

    path = f"/v1/returns/{asked.number}/photos"
    foreign = [
        await world.send("GET", path, "customer", claims=rival),
        await world.send("GET", f"{path}/{photo}", "customer", claims=rival),
        await world.send("DELETE", f"{path}/{photo}", "customer", claims=rival),
        await _add(world, asked.number, png(), claims=rival),
        await world.send("GET", f"/v1/returns/{other.number}/photos/{photo}", "support"),
        await world.send("GET", f"{path}/..%2F..%2Forders.db", "support"),
    ]
    nobody = await world.send("GET", f"{path}/{photo}")

    assert [one.status_code for one in foreign] == [404, 404, 404, 404, 404, 404]
    assert nobody.status_code == 401
    assert _folder(world) == [photo]


async def test_a_decided_return_keeps_its_photos_and_an_inspection_has_its_own(world: World, desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 3)  # authorized at once
    mine = (await _add(world, asked.number, JPEG)).json()["photo_id"]

    waiting = _ask(desk, asked.order_id, 5)
    early = await _add(world, waiting.number, png(), "warehouse")
    _count(desk, asked, 2)
    found = await _add(world, asked.number, png(), "warehouse")
    late = await _add(world, asked.number, WEBP)
    kept = await world.send("DELETE", f"/v1/returns/{asked.number}/photos/{mine}", "customer")

    assert [one.json()["code"] for one in (early, late, kept)] == [
        "PHOTOS_NOT_TAKEN",
        "PHOTOS_NOT_TAKEN",
        "PHOTOS_KEPT",
    ]
    assert (found.json()["stage"], found.json()["position"]) == ("inspection", 1)
    assert len(_folder(world)) == 2


async def test_files_that_nobody_lists_are_swept_and_listed_ones_stay(world: World, desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 5)
    kept = (await _add(world, asked.number, JPEG)).json()["photo_id"]
    files = world.app.state.deps.photos
    with files.incoming() as coming:
        coming.write(png())
        lost = coming.keep()
    half = world.keys_dir / "photos" / f"{lost.photo_id[:-1]}f.coming"
    half.write_bytes(b"half")

    young = PhotoSweep(world.database, files).sweep()
    for name in _folder(world):
        os.utime(world.keys_dir / "photos" / name, (1, 1))
    old = PhotoSweep(world.database, files).sweep()

    assert (young, old) == (0, 2)
    assert _folder(world) == [kept]


async def test_a_disk_that_takes_no_more_is_said_and_keeps_nothing(world: World, desk: Desk) -> None:
    asked = _ask(desk, _delivered(desk), 5)
    mine, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, most))

    try:
        answer = await _add(world, asked.number, png(padding=3 * MIB))
        small = await _add(world, asked.number, png())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (mine, most))

    assert (answer.status_code, answer.json()["code"], small.status_code) == (503, "PHOTOS_UNAVAILABLE", 201)
    assert _folder(world) == [small.json()["photo_id"]]
