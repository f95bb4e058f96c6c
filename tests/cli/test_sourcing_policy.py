"""`oms policies sourcing`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

POLICY: dict[str, Any] = {
    "split_penalty_minor": 500, "late_day_minor": 0, "maximum_splits": None, "customers": [], "version": 3,
    "nodes": [
        {"warehouse_id": "wh_reno", "order_fee_minor": 1250, "unit_fee_minor": 0, "avoidance_minor": 0, "is_excluded": False, "excludes_hazardous": True}
    ],
}  # fmt: skip


def test_the_terms_of_each_warehouse_are_shown(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/sourcing-policy", POLICY)

    shown = command("policies", "sourcing")

    assert "order fee 1,250, no dangerous goods" in shown.out
    assert "any number of shipments" in shown.out


def test_a_file_replaces_it(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    api.on("POST /v1/sourcing-policy", POLICY)
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))

    shown = command("policies", "sourcing", "--set", str(tmp_path / "policy.json"), "--json")

    assert json.loads(shown.out)["version"] == 3
    assert api.asked[0].body == POLICY
