"""Lists of what marketplaces and tills owe and pay, in pages that join without gap."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

LONGEST = "\u1f80" * 63
"""A reference grows where it is folded: each of these becomes two characters, five bytes."""


async def _pages(world: World, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        given = {"cursor": cursor} if cursor else {}
        answer = await world.send("GET", path, "accounting", params={"limit": 1, **given})
        assert answer.status_code == 200, answer.text
        found += answer.json()["rows"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize(
    "sold", [["113-1", "113-2", "113-3"], [f"{LONGEST}{end}" for end in "123"]], ids=["short", "longest"]
)
async def test_sales_come_in_pages_however_long_their_references_are(world: World, sold: list[str]) -> None:
    world.billing.sold = sold

    rows = await _pages(world, "/v1/marketplace-sales?channel=amazon")

    assert [row["reference"] for row in rows] == sold


async def test_payouts_come_in_pages(world: World) -> None:
    for number in range(3):
        sale = {"reference": f"113-{number}", "amount": "5.00"}
        body = {
            "channel": "amazon",
            "reference": f"P-{number}",
            "amount": {"amount": "5.00", "currency": "USD"},
            "sales": [sale],
        }
        assert (await world.send("POST", "/v1/payouts", "accounting", key=f"k{number}", json=body)).status_code == 201

    rows = await _pages(world, "/v1/payouts")

    assert [row["reference"] for row in rows] == ["P-0", "P-1", "P-2"]
