"""Exchanges on the command line: asked for by line, shown with the order that brings them."""

from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms
from tests.cli.test_returns import RETURN


def test_a_line_is_replaced_by_the_same_or_so_many_of_another_in_advance(command: Oms, api: FakeApi) -> None:
    instead = {"sku": "SEAL", "quantity": 3, "unit_price": "12.50"}
    line = {**RETURN["lines"][0], "replace": instead}
    placed = {"order_number": "SO-1002", "units": 3, "is_advance": True}
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1", "number": "SO-1001", "customer_id": "cus_1"})
    api.on("POST /v1/returns", {**RETURN, "lines": [line], "replacements": [placed]}, 201)

    answer = command(
        "returns", "request", "SO-1001", "--line", "1=4", "--line", "2=1", "--replace", "1=SEAL:3", "--replace", "2", "--advance"
    )  # fmt: skip

    body = api.asked[-1].body
    assert [line.get("replace") for line in body["lines"]] == [{"sku": "SEAL", "quantity": 3}, {}]
    assert body["advance"] is True
    assert "- line 1: replaced by 3 SEAL at 12.50 each" in answer.out
    assert "- RMA-1001 → SO-1002: 3 units in advance" in answer.out


def test_a_line_that_does_not_come_back_is_not_replaced(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1", "number": "SO-1001", "customer_id": "cus_1"})

    refused = command("returns", "request", "SO-1001", "--line", "1=4", "--replace", "2")

    assert refused.code != 0
    assert "line 2 does not come back" in refused.err
