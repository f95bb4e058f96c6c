"""Every invoice, credit note and deposit invoice that a system has posted, against the rules of others for e-invoices."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.einvoices import faults_of
from tests.system.harness import System
from tests.system.trade import eventually

_LACKS = ("no country of its buyer", "decimals", "its rate of tax was not kept", "does not follow from its rate")
"""Why a document may be none: what its order never had."""


def check_einvoices(system: System, order_id: str = "") -> int:
    """Fail with the faults of each invoice, credit note and deposit invoice that has some; how many there are. Only an order's where one is named."""
    faults, count = {}, 0
    for path in ("/v1/invoices", "/v1/credit-notes", "/v1/deposit-invoices"):
        for row in _rows(system, path, order_id):
            answer = system.api("accounting").get(f"{path}/{row['number']}.xml")
            if answer.status_code == 409 and any(lack in answer.json()["detail"] for lack in _LACKS):
                continue
            count += 1
            found = faults_of(answer.content) if answer.is_success else [answer.text]
            if found:
                faults[row["number"]] = found
    assert not faults, faults
    return count


def _rows(system: System, path: str, order_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 100, **({"order_id": order_id} if order_id else {})}
    while True:
        page = eventually(partial(_page, system, path, dict(query)))
        found += page["rows"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def _page(system: System, path: str, query: dict[str, Any]) -> dict[str, Any]:
    """Asked again a little later where a test has just started billing anew."""
    answer = system.api("accounting").get(path, params=query)
    assert answer.is_success, answer.text
    page: dict[str, Any] = answer.json()
    return page
