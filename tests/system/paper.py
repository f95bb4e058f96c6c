"""Every invoice that a system has posted, against the rules of others for e-invoices by others' rules."""

from __future__ import annotations

from typing import Any

from tests.einvoices import faults_of
from tests.system.harness import System

_LACKS = ("no country of its buyer", "decimals", "its rate of tax was not kept", "does not follow from its rate")
"""Why an invoice may be none: what its order never had."""


def check_einvoices(system: System, order_id: str = "") -> int:
    """Fail with the faults of each invoice that has some; how many there are. Only an order's where one is named."""
    faults, count = {}, 0
    for row in _invoices(system, order_id):
        answer = system.api("accounting").get(f"/v1/invoices/{row['invoice_id']}.xml")
        if answer.status_code == 409 and any(lack in answer.json()["detail"] for lack in _LACKS):
            continue
        count += 1
        found = faults_of(answer.content) if answer.is_success else [answer.text]
        if found:
            faults[row["number"]] = found
    assert not faults, faults
    return count


def _invoices(system: System, order_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 100, **({"order_id": order_id} if order_id else {})}
    while True:
        page = system.api("accounting").get("/v1/invoices", params=query).raise_for_status().json()
        found += page["rows"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]
