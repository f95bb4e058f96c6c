"""Exchanges over HTTP: what may be named in place of goods that come back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World
from tests.orders.desk import Desk
from tests.orders.test_returns import _delivered


@pytest.fixture
def desk(world: World) -> Desk:
    """The order desk over the same database, with its own master data."""
    return Desk(world.database)


def _asked(order_id: str, sku: str, **more: Any) -> dict[str, Any]:
    line = {"line_id": "1", "quantity": 2, "reason": "defective", "replace": {"sku": sku}}
    return {"order": order_id, "lines": [line], **more}


async def test_what_replaces_goods_is_typed_as_any_sku(world: World, desk: Desk) -> None:
    order_id = _delivered(desk)

    unknown = await world.send("POST", "/v1/returns", "customer", key="u", json=_asked(order_id, "HOSE-3/4"))
    done = await world.send("POST", "/v1/returns", "customer", key="d", json=_asked(order_id, " cent "))

    assert (unknown.status_code, unknown.json()["code"]) == (422, "SKU_UNKNOWN")
    assert (done.status_code, done.json()["lines"][0]["replace"]["sku"]) == (201, "CENT")


async def test_an_advance_is_asked_for_by_true_alone(world: World, desk: Desk) -> None:
    body = _asked(_delivered(desk), "CENT", advance="yes")

    answer = await world.send("POST", "/v1/returns", "customer", key="a", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/advance")
