"""One limit for the lines of a document, wherever the API takes them, and bodies that hold as many."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.http.plumbing.body import MAX_BYTES
from services.kernel.bounds import MAX_LINES, MAX_PAGE_LINES
from tests.api.conftest import world_over
from tests.conftest import ROOT

LINES = ("OrderInput", "ChangeInput", "PickInput")


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Any:
    with world_over(template, tmp_path_factory.mktemp("bounds")) as world:
        return asyncio.run(world.send("GET", "/openapi.json")).json()["components"]["schemas"]


@pytest.mark.parametrize("name", LINES)
def test_what_is_placed_changed_and_picked_has_the_same_most_lines(schemas: Any, name: str) -> None:
    assert schemas[name]["properties"]["lines"]["maxItems"] == MAX_LINES


def test_the_longest_lines_fit_a_body_also_written_for_people() -> None:
    line = {"line_id": "999999", "sku": "S" * 64, "quantity": 10**9, "unit_price": "123456789012.123456"}

    assert len(json.dumps({"lines": [line] * MAX_LINES}, indent=4)) < MAX_BYTES


def test_the_comments_of_the_protos_say_the_limits() -> None:
    said = "".join(path.read_text("utf-8") for path in sorted((ROOT / "proto" / "oms").rglob("*.proto")))

    assert f"1 to {MAX_LINES} lines" in said
    assert said.count(f"at most {MAX_LINES}") + said.count(f"At most {MAX_LINES} lines") >= 6
    assert said.count(f"{MAX_PAGE_LINES} lines together") == 4
