"""Goods that nobody announced, as people type them: by SKU, or by what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.console.forms import whole_units_of

ROWS = 3
"""Kinds of goods that a form takes at once."""


def goods_in(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was typed of goods that nobody announced, rows without anything left out."""
    rows = {
        row: {name: fields.get(f"{name}-{row}", "").strip() for name in ("sku", "look", "count")}
        for row in range(1, ROWS + 1)
    }
    return [
        {
            "sku": typed["sku"] or None,
            "description": typed["look"],
            "quantity": whole_units_of(f"goods {row}", typed["count"]),
        }
        for row, typed in rows.items()
        if any(typed.values())
    ]
