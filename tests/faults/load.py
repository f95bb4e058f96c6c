"""Orders placed at a steady pace by impatient clients: one try, then the next try with the same key as late as others allow."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import httpx

from tests.faults.journey import Journey, Shop
from tests.system.trade import key
from tests.threads import Crew

ACKNOWLEDGED = frozenset({201, 202})
GIVES_UP_AFTER_S = 15.0
SETTLES_IN_S = 60.0
"""After the last order was first sent, the load goes on for so long at most."""
_LANES = 16


class Load:
    """Journeys that are placed in the background of a block: see `under_load`.

    `answers` counts each try by what came of it and `slowest_s` is the longest any answer took; a client that hears nothing
    for `GIVES_UP_AFTER_S` counts as "hung", one whose connection broke under a request as "cut off". Every try has a connection
    of its own: an idle one may be closed at the moment it is used again, and that is nobody's fault.
    """

    def __init__(self, shop: Shop, orders: int, per_s: float) -> None:
        self.journeys = [Journey(shop, shop.goods()) for _ in range(orders)]
        self.answers: Counter[int | str] = Counter()
        self.slowest_s = 0.0
        self.within_s = orders / per_s + SETTLES_IN_S
        self._health = shop.running.health
        self._client = shop.running.api("channel", is_patient=False)
        self._client.headers["Connection"] = "close"
        self._per_s = per_s
        self._ends_at = time.monotonic() + self.within_s
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def released(self) -> Sequence[Journey]:
        """The journeys once each order is with its warehouse; fails for one that was acknowledged and forgotten."""
        for journey in self.journeys:
            assert journey.order_id, f"an order was never acknowledged: {dict(self.answers)}"
            journey.until_released()
        return self.journeys

    def submit_to(self, crew: Crew) -> list[Future[None]]:
        """Begin one order after the other, at the pace of this load."""
        placed = []
        for journey in self.journeys:
            self._health.check()
            placed.append(crew.submit(self._place, journey))
            if self._is_over.wait(1 / self._per_s):
                break
        return placed

    def stop(self) -> None:
        """Begin no other order, and try none again."""
        self._is_over.set()

    def _place(self, journey: Journey) -> None:
        body, headers = journey.body(), key(uuid.uuid4().hex)
        while time.monotonic() < self._ends_at and not self._is_over.is_set():
            self._health.check()
            if self._try(journey, body, headers):
                return
            time.sleep(0.3)

    def _try(self, journey: Journey, body: dict[str, Any], headers: dict[str, str]) -> bool:
        """Send the order once; whether it is acknowledged."""
        began = time.monotonic()
        try:
            answer = self._client.post("/v1/orders", json=body, headers=headers, timeout=GIVES_UP_AFTER_S)
        except httpx.TimeoutException:
            self._count("hung", began)
        except httpx.ConnectError:
            self._count("refused", began)
        except httpx.TransportError:
            self._count("cut off", began)
        else:
            self._count(answer.status_code, began)
            if answer.status_code in ACKNOWLEDGED:
                journey.acknowledged(answer.json())
                return True
        return False

    def _count(self, what: int | str, began: float) -> None:
        with self._lock:
            self.answers[what] += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)


@contextmanager
def under_load(shop: Shop, orders: int, per_s: float) -> Iterator[Load]:
    """While the block runs, and until all are acknowledged, `orders` orders are placed, `per_s` a second.

    Nobody tries any more when the system is lost, the block has failed, or the last order is `SETTLES_IN_S` old.
    """
    load = Load(shop, orders, per_s)
    with Crew(_LANES + 1, load.within_s + 2 * GIVES_UP_AFTER_S) as crew:
        begun = crew.submit(load.submit_to, crew)
        try:
            yield load
        except BaseException:
            load.stop()
            raise
        for order in begun.result():
            order.result()
