"""`oms stock count`."""

from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

ANSWER = {
    "count_id": "cnt_1", "sku": "PUMP-100", "warehouse_id": "wh_1", "on_hand_before": 10, "on_hand": 7, "delta": -3,
    "losses": [
        {"order_id": "ord_1", "order_number": "SO-1002", "customer_name": "Acme", "line_id": "1", "quantity": 3, "released_quantity": 2}
    ],
}  # fmt: skip


def test_a_count_says_what_is_there_now_and_who_lost(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/stock/counts", ANSWER, 201)

    shown = command("stock", "count", "PUMP-100", "7", "--warehouse", "wh_1").out

    for words in ("PUMP-100: 7 are on hand at wh_1 (-3)", "SO-1002", "Acme"):
        assert words in shown


def test_a_preview_says_what_would_be_and_a_program_gets_the_document(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/stock/counts", {**ANSWER, "count_id": None}, 200)

    shown = command("stock", "count", "PUMP-100", "7", "--warehouse", "wh_1", "--preview").out
    as_json = command("stock", "count", "PUMP-100", "7", "--warehouse", "wh_1", "--preview", "--json").out

    assert "PUMP-100: 7 would be on hand at wh_1 (-3)" in shown
    assert '"count_id": null' in as_json
