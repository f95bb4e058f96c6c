"""Every row of a list of the API, page by page."""

from __future__ import annotations

from typing import Any

import httpx

from tests.system.trade import ok

MAXIMUM_PAGES = 100


def every_row(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    """Rows in the order of the list; fails for a list that has no end."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(MAXIMUM_PAGES):
        page = ok(client.get(path, params={**query, "limit": "100", **cursor}))
        rows += page["rows"]
        if not page["next_cursor"]:
            return rows
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError(f"{path} {query} has more than {MAXIMUM_PAGES} pages")
