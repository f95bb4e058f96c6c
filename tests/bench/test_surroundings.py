"""Part g of the bench as a person runs it, in a size that says nothing of speed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import surroundings
from tests.bench.canned import beside

KINDS = {surroundings.PLAIN, *surroundings.TARGETS}


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_traces_and_production_are_measured_beside_the_plain_system(tmp_path: Path) -> None:
    found = tmp_path / "figures.json"

    assert bench.main(["--only", "g", "--pairs", "1", "--orders", "4", "--at-once", "2", "--json", str(found)]) == 0

    part = json.loads(found.read_text())["surroundings"]
    spent = part["cpu_ms_per_order"]
    assert part.keys() == beside().keys()
    assert spent.keys() == KINDS
    assert spent["production"].keys() >= {"orders", "worker", "temporal", "postgres", "system"}
    assert all(each["median"] > 0 for each in part["ratio"].values())


def test_a_ratio_is_taken_within_its_round() -> None:
    part = beside()

    # 159 of 150, 153 of 150, 210 of 150, in both rounds
    assert {kind: each["median"] for kind, each in part["ratio"].items()} == {
        "traces kept": 1.06,
        "collector away": 1.02,
        "production": 1.4,
    }


def test_an_environment_is_as_it_was_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_OTLP_ENDPOINT", "http://somewhere:4317")

    with surroundings.environment({"OMS_TRACE_RATIO": "1"}):
        meanwhile = dict(os.environ)

    assert "OMS_OTLP_ENDPOINT" not in meanwhile
    assert meanwhile["OMS_TRACE_RATIO"] == "1"
    assert os.environ["OMS_OTLP_ENDPOINT"] == "http://somewhere:4317"
    assert "OMS_TRACE_RATIO" not in os.environ
