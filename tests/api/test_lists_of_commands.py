"""Lists that commands read in pages are lists that the API gives in pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.api.conftest import World

CLI = Path(__file__).parents[2] / "cli"


def paged_by_commands() -> set[str]:
    """Path of each list that a command reads in pages, {} for what is put into it."""
    calls = [
        call
        for file in CLI.glob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "rows"
    ]
    return {_template(call.args[0]) for call in calls}


def _template(path: ast.expr) -> str:
    parts = path.values if isinstance(path, ast.JoinedStr) else [path]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def test_each_list_that_a_command_pages_through_takes_a_limit_and_a_cursor(world: World) -> None:
    paged = {
        re.sub(r"{[^}]*}", "{}", path)
        for path, operations in world.app.openapi()["paths"].items()
        if {"limit", "cursor"} <= {one["name"] for one in operations.get("get", {}).get("parameters", ())}
    }

    assert len(paged_by_commands()) > 20
    assert paged_by_commands() - paged == set()
