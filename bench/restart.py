"""(f) How soon a decision takes effect after Temporal and the worker were killed, against one before."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench import company
from bench.door import Door
from bench.figures import milliseconds
from bench.life import PATIENCE_S, NotReached
from bench.order_to_cash import LINES
from bench.parallel import for_each
from bench.system import System
from cli import running
from cli.readiness import http_ready
from samples import documents

TARGET_S = 5.0
KILLED = ("worker", "temporal")
RESTARTS = 3
_AT_ONCE = 12
_POLL_S = 0.02
_EVERY_ORDER = {
    "code": "EVERY_ORDER",
    "when": "order.total > 0.0",
    "message": "Somebody looks at every order.",
    "tiers": [{"level": 1, "role": "approver", "position": "sales_manager"}],
}


def measure(system: System, door: Door, samples: int, parked: int) -> dict[str, Any]:
    """Park orders in review and decide on them: so many at rest, then the first after each of RESTARTS kills.

    More orders are parked before each kill: what a server did just before it died, it may have to do again.
    """
    _appoint(door)
    at_rest = [_decide(door, order_id) for order_id in _park(door, samples)]
    firsts, ready = [], []
    for _ in range(RESTARTS):
        order_ids = _park(door, parked)
        ready.append(_restart(system))
        firsts.append(_decide(door, order_ids[0]))
    return {
        "parked": RESTARTS * parked,
        "ready_again_s": round(max(ready), 2),
        "at_rest_ms": milliseconds(median(at_rest)),
        "first_ms": [milliseconds(each) for each in firsts],
        "ratio": round(max(firsts) / median(at_rest), 1),
        "target_s": TARGET_S,
    }


def _appoint(door: Door) -> None:
    """From now on a manager looks at every order."""
    manager = {
        "sub": "approver@bench",
        "name": "Manager",
        "email": "manager@oms.example",
        "roles": ["approver"],
        "positions": ["sales_manager"],
        "limits": [{"amount": "90000000.00", "currency": "USD"}],
    }
    door.post("admin", "/v1/people", manager)
    door.post("admin", "/v1/policies", {**documents.read("policies"), "reviews": [_EVERY_ORDER]})


def _park(door: Door, count: int) -> list[str]:
    receipts = for_each(lambda _: door.post("channel", "/v1/orders", company.order(LINES)), range(count), _AT_ONCE)
    order_ids = [str(receipt["order_id"]) for receipt in receipts]
    for_each(lambda order_id: _open_step(door, order_id), order_ids, _AT_ONCE)
    return order_ids


def _open_step(door: Door, order_id: str) -> str:
    """The step that waits for the manager, as soon as it is asked."""
    for order in _polls(door, order_id):
        steps = [step for review in order["reviews"] for step in review["steps"] if step["state"] == "open"]
        if steps:
            return str(steps[0]["step_id"])
    raise NotReached(f"nobody is asked about {order_id} in {PATIENCE_S:.0f} s")


def _decide(door: Door, order_id: str) -> float:
    """Approve an order; seconds until it is with its warehouse."""
    step_id = _open_step(door, order_id)
    began = time.perf_counter()
    decision = {"step_id": step_id, "decision": "approve", "version": 1, "note": "checked"}
    door.post("approver", f"/v1/orders/{order_id}/decisions", decision)
    for order in _polls(door, order_id):
        if order["status"] == "in_fulfilment":
            return time.perf_counter() - began
    raise NotReached(f"the decision on {order_id} took no effect in {PATIENCE_S:.0f} s")


def _polls(door: Door, order_id: str) -> Iterator[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        yield door.get("admin", f"/v1/orders/{order_id}")
        time.sleep(_POLL_S)


def _restart(system: System) -> float:
    """kill -9 of KILLED at once; seconds until all is ready again."""
    began = time.monotonic()
    before = _killed(system)
    for entry in before.values():
        os.kill(entry["pid"], signal.SIGKILL)
    while time.monotonic() - began < PATIENCE_S:
        now = _killed(system)
        is_back = all(now[name]["restarts"] > before[name]["restarts"] for name in KILLED)
        if is_back and all(entry["state"] == "ready" for entry in now.values()) and asyncio.run(_is_ready(system)):
            return time.monotonic() - began
        time.sleep(_POLL_S)
    raise NotReached(f"{' and '.join(KILLED)} did not come back in {PATIENCE_S:.0f} s")


def _killed(system: System) -> dict[str, dict[str, Any]]:
    """What the supervisor has written down about KILLED."""
    state = running.current(system.var)
    if state is None:
        raise NotReached("the system has ended")
    return {entry["name"]: entry for entry in state["processes"] if entry["name"] in KILLED}


async def _is_ready(system: System) -> bool:
    return await http_ready(f"{system.url}/readyz")()
