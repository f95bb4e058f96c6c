"""(d) A change that adds most of an order's lines beside the placing of as many, in the same run."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from statistics import median
from typing import Any

from bench import company
from bench.door import Door
from bench.figures import milliseconds
from bench.life import PATIENCE_S, NotReached, Row, place, shipments_of

LINES, ADDED = 499, 400
TARGET_RATIO = 2.0
_POLL_S = 0.05


def measure(door: Door, samples: int) -> dict[str, Any]:
    """Medians from the request until the warehouse has what was asked for, and the ratio of the change to the placing."""
    placed, changed = [], []
    for _ in range(samples):
        began = time.perf_counter()
        shipments_of(door, str(place(door, LINES)["order_id"]))
        placed.append(time.perf_counter() - began)
        changed.append(_change(door))
    took = {"place_ms": milliseconds(median(placed)), "change_ms": milliseconds(median(changed))}
    ratio = round(median(changed) / median(placed), 2)
    return {"lines": LINES, "added": ADDED, **took, "ratio": ratio, "target_ratio": TARGET_RATIO}


def _change(door: Door) -> float:
    """Seconds that it takes to add the lines to an order that is with the warehouse already."""
    order_id = str(place(door, LINES - ADDED)["order_id"])
    before = _lines(shipments_of(door, order_id))
    began = time.perf_counter()
    heard = {"given_by": "the buyer", "given_at": datetime.now(UTC).isoformat(), "how": "on the phone"}
    body = {"reason": "more for the same site", "lines": company.order(ADDED)["lines"], "consent": heard}
    door.post("support", f"/v1/orders/{order_id}/changes", body)
    while time.perf_counter() < began + PATIENCE_S:
        if _lines(door.get("warehouse", "/v1/shipments", order_id=order_id)["rows"]) > before:
            return time.perf_counter() - began
        time.sleep(_POLL_S)
    raise NotReached(f"no shipment of what was added to {order_id} in {PATIENCE_S:.0f} s")


def _lines(shipments: list[Row]) -> int:
    """Lines that are with the warehouse: what is added may join a shipment that is not picked."""
    return sum(len(one["lines"]) for one in shipments)
