"""Bins over HTTP: as the catalog writes the SKU, all of a request or none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

PATH = "/v1/stock/bins"


def one(sku: str, name: str = "a-01-3") -> dict[str, Any]:
    return {"bins": [{"warehouse_id": "wh_1", "sku": sku, "bin": name}]}


async def test_a_bin_is_kept_under_the_sku_of_the_catalog(world: World) -> None:
    first = await world.send("PUT", PATH, "warehouse", json=one("pump-100"))
    again = await world.send("PUT", PATH, "warehouse", json=one("PUMP-100"))
    listed = await world.send("GET", f"{PATH}?sku=pump-100&warehouse_id=wh_1", "auditor")

    assert (first.status_code, first.json(), again.json()) == (200, {"changed_count": 1}, {"changed_count": 0})
    assert listed.json()["rows"] == [{"warehouse_id": "wh_1", "sku": "PUMP-100", "bin": "A-01-3"}]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (one("NO-SUCH"), 404, "PRODUCT_UNKNOWN"),
        (one("INSTALL-8H"), 409, "PRODUCT_NOT_STOCKED"),
        ({"bins": []}, 422, "INVALID_REQUEST"),
        (one("PUMP-100", "A" * 33), 422, "INVALID_REQUEST"),
        ({"bins": one("PUMP-100")["bins"] * 501}, 422, "INVALID_REQUEST"),
    ],
)
async def test_what_is_no_bin_of_goods_is_refused(world: World, body: Any, status: int, code: str) -> None:
    refused = await world.send("PUT", PATH, "warehouse", json=body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert world.inventory.bins == {}
