"""(h) What others wait for their POST /v1/orders when an announcement and goods come for a SKU that thousands of orders wait for.

On a system of its own, so that whatever the news sets off is there: facts, mails, and workflows that go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench import company, posting
from bench.door import Door
from bench.figures import percentile, spread_ms
from bench.life import NotReached
from bench.parallel import for_each
from bench.system import system

TARGET_RATIO = 2.0
_AT_ONCE = 12
_POLL_S = 1.0
_PAGE = 200
_SLOWEST_S = 60.0


def measure(waiting: int, seconds: float) -> dict[str, Any]:
    """Others' POSTs for so many seconds alone, and for as long from an announcement and from goods for all who wait."""
    with system() as running:
        door = Door(running.url, running.var)
        company.load_company(door)
        _queue_up(door, waiting)
        alone = posting.latencies(door, seconds)
        return {
            "waiting": waiting,
            "seconds": seconds,
            "target_ratio": TARGET_RATIO,
            "alone": spread_ms(alone),
            "announcement": _beside(door, seconds, alone, lambda: company.expect_hot(door, waiting)),
            "goods": _beside(door, seconds, alone, lambda: company.receive_hot(door, waiting)),
        }


def _queue_up(door: Door, waiting: int) -> None:
    """So many orders of one unit each, once all of them wait."""
    company.load_hot(door)
    for_each(lambda _: door.post("channel", "/v1/orders", company.hot_order()), range(waiting), _AT_ONCE)
    ends_at = time.monotonic() + _SLOWEST_S + waiting
    while (found := _waiting(door)) < waiting:
        if time.monotonic() > ends_at:
            raise NotReached(f"{found} of {waiting} orders wait for {company.HOT}")
        time.sleep(_POLL_S)


def _waiting(door: Door) -> int:
    count = 0
    cursor: str | None = ""
    while cursor is not None:
        page = door.get("warehouse", "/v1/backorders", sku=company.HOT, limit=_PAGE, cursor=cursor)
        count, cursor = count + len(page["rows"]), page["next_cursor"]
    return count


def _beside(door: Door, seconds: float, alone: list[float], act: Callable[[], Any]) -> dict[str, Any]:
    """How long the act took, and others' POSTs from its first moment on."""

    def timed() -> list[float]:
        began = time.perf_counter()
        act()
        return [time.perf_counter() - began]

    def post() -> list[float]:
        return posting.latencies(door, seconds)

    took, others = for_each(lambda do: do(), (timed, post), 2, 2 * seconds + _SLOWEST_S)
    ratio = percentile(others, 99) / percentile(alone, 99)
    return {"answered_s": round(took[0], 3), "others": spread_ms(others), "ratio": round(ratio, 2)}
