"""A change is proposed and answered from a terminal in the words of its options."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

ORDER: dict[str, Any] = {
    "order_id": "ord_1",
    "number": "SO-1001",
    "version": 3,
    "customer_id": "cus_acme",
    "change": {"change_id": "chg_1"},
}
PROPOSAL: dict[str, Any] = {
    "change_id": None,
    "state": "preview",
    "from_version": 3,
    "to_version": 4,
    "difference": [{"what": "Quantity of PUMP-100", "before": "4", "after": "2"}],
    "totals_before": {"total": {"amount": "558.57", "currency": "USD"}},
    "totals_after": {"total": {"amount": "279.29", "currency": "USD"}},
    "consequences": ["the order comes to 279.28 USD less: 279.29 USD"],
    "obstacles": [],
}
OBSTACLES = [
    {"code": "LINE_UNKNOWN", "detail": "the order has no line 99: reload it", "line_id": "99"},
    {"code": "BELOW_PICKED", "detail": "line 1: 3 units are picked", "line_id": "1"},
]


def test_a_change_is_written_in_options_and_previewed(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("POST /v1/orders/ord_1/changes", PROPOSAL)

    answer = command(
        "orders", "change", "SO-1001", "--reason", "short", "--quantity", "1=2", "--remove", "2", "--add", "SEAL-9=4",
        "--substitute", "3=PUMP-110@141.55", "--price", "4=9.50", "--date", "2026-12-04", "--split", "--preview",
    )  # fmt: skip

    assert answer.code == 0, answer.err
    sent = api.asked[-1]
    assert sent.body == {
        "reason": "short",
        "lines": [
            {"line_id": "1", "quantity": 2},
            {"line_id": "2", "quantity": 0},
            {"line_id": "3", "sku": "PUMP-110", "unit_price": "141.55"},
            {"line_id": "4", "unit_price": "9.50"},
            {"sku": "SEAL-9", "quantity": 4},
        ],
        "requested_on": "2026-12-04",
        "ship_complete": False,
        "version": 3,
    }
    assert sent.query == {"preview": "true"}
    assert "SO-1001: preview of the change (version 3 → 4)" in answer.out
    assert "Total 558.57 USD → 279.29 USD" in answer.out
    assert "- the order comes to 279.28 USD less: 279.29 USD" in answer.out


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_a_preview_of_what_cannot_be_is_refused_with_every_reason_and_promises_nothing(
    command: Oms, api: FakeApi, how: tuple[str, ...]
) -> None:
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("POST /v1/orders/ord_1/changes", {**PROPOSAL, "obstacles": OBSTACLES})

    answer = command("orders", "change", "SO-1001", "--quantity", "99=2", "--preview", *how)

    sentence = "SO-1001 cannot be changed: the order has no line 99: reload it; line 1: 3 units are picked\n"
    assert (answer.code, answer.err) == (1, sentence)
    assert "preview of the change" not in answer.out
    assert ("the order comes to 279.28 USD less" in answer.out) is bool(how)


def test_a_customer_answers_from_the_terminal(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("POST /v1/orders/ord_1/changes/chg_1/consent", {"state": "applied"})

    answer = command("orders", "consent", "SO-1001", "--accept")

    assert (answer.code, answer.out) == (0, "SO-1001: the change is applied\n")
    assert api.asked[-1].body == {"answer": "accept", "note": "", "version": 3}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("change", "SO-1001", "--quantity", "1"), "'1' is no pair: write it as NAME=VALUE\n"),
        (("change", "SO-1001", "--quantity", "1=two"), "'two' is no quantity: write a whole number\n"),
        (("consent", "SO-1001"), "say --accept or --decline\n"),
        (("consent", "SO-1001", "--accept"), "SO-1001 has no open change: `oms orders show SO-1001`\n"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    command: Oms, api: FakeApi, words: tuple[str, ...], sentence: str
) -> None:
    api.on("GET /v1/orders/SO-1001", {**ORDER, "change": None})

    answer = command("orders", *words)

    assert (answer.code, answer.err) == (1, sentence)
