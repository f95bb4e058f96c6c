"""`oms policies replay`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

ORDERS, PLANS = "POST /v1/policies/replay", "POST /v1/sourcing-policy/replay"


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def order(number: str) -> dict[str, Any]:
    before = {"outcome": "cleared", "reasons": [], "reviews": [], "asks": []}
    after = {"outcome": "held", "reasons": ["LARGE"], "reviews": ["ASKED"], "asks": ["sales manager"]}
    return {
        "number": number, "customer_name": "Harbor [Marine]", "total": usd("1383.53"), "is_credit_known": number != "SO-1002",
        "before": before, "after": after,
    }  # fmt: skip


def document(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.write_text(content)
    return str(path)


def test_orders_of_all_pages_are_shown_with_what_would_hold_them(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    api.on(ORDERS, {"rows": [order("SO-1001")], "replayed": 100, "next_cursor": "abc"})
    api.on(ORDERS, {"rows": [order("SO-1002")], "replayed": 7, "next_cursor": None})

    shown = command("policies", "replay", "--since", "2026-11-01", "--policy", document(tmp_path, "p", '{"rules": []}'))

    for words in (
        "107 orders, 2 would be decided otherwise: 2 cleared → held",
        "SO-1001",
        "SO-1002",
        "Harbor [Marine]",
    ):
        assert words in shown.out
    assert "LARGE, ASKED; asks sales manager" in shown.out
    assert "of 1 of them nobody kept how their credit stood" in shown.out
    assert [one.query.get("cursor") for one in api.asked] == [None, "abc"]
    assert api.asked[0].body == {"since": "2026-11-01T00:00:00+00:00", "policy": {"rules": []}}


def test_costs_of_plans_are_summed_over_pages(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    totals = {"plans": 1, "paid_before": usd("17.00"), "paid_after": usd("19.50"), "shipments_before": 2, "shipments_after": 1, "later": 1, "sooner": 0}  # fmt: skip
    side = {"warehouse_ids": ["w1", "w3"], "paid": usd("17.00"), "promised_on": "2026-12-04"}
    row = {
        "order_number": "SO-1001",
        "wanted": 14,
        "before": side,
        "after": {**side, "warehouse_ids": ["w2"], "paid": usd("19.50")},
    }
    for cursor in ("abc", None):
        api.on(PLANS, {"rows": [row], "replayed": 1, "not_kept": 2, "totals": [totals], "next_cursor": cursor})
    policy = document(tmp_path, "s", '{"split_penalty_minor": 500}')

    shown = command("policies", "replay", "--since", "2026-11-01", "--until", "2026-12-01", "--sourcing", policy)
    as_json = json.loads(command("policies", "replay", "--since", "2026-11-01", "--sourcing", policy, "--json").out)

    assert "2 plans, 2 would be sent otherwise" in shown.out
    assert "4 more are of before" in shown.out
    assert "freight, handling and fees 34.00 → 39.00 USD, shipments 4 → 2, 2 promised later, 0 sooner" in shown.out
    assert as_json["plans"]["replayed"] == 1
    assert api.asked[0].body["until"] == "2026-12-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--since", "2026-11-01"], "nothing is tried"),
        (["--since", "soon", "--policy", "{ok}"], "is no day"),
        (["--since", "2026-11-01", "--policy", "{absent}"], "cannot be read"),
        (["--since", "2026-11-01", "--policy", "{broken}"], "is no JSON"),
        (["--since", "2026-11-01", "--sourcing", "{list}"], "is no JSON object"),
    ],
)
def test_what_cannot_be_tried_is_said(
    command: Oms, api: FakeApi, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    files = {name: document(tmp_path, name, text) for name, text in (("ok", "{}"), ("broken", "{"), ("list", "[]"))}
    files["absent"] = str(tmp_path / "absent")

    shown = command("policies", "replay", *(one.format(**files) for one in arguments))

    assert (shown.code, api.asked) == (1, [])
    assert sentence in shown.err
