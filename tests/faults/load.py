"""Orders placed at a steady pace by impatient clients: one try, then the next try with the same key as late as others allow."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import httpx

from tests.faults.journey import Journey, Shop
from tests.system.trade import key

ACKNOWLEDGED = frozenset({201, 202})
GIVES_UP_AFTER_S = 15.0
_TRIES = 60


class Load:
    """`orders` orders, `per_s` a second, in the background until the block ends; then every one is acknowledged.

    `answers` counts each try by what came of it and `slowest_s` is the longest any answer took; a client that hears nothing
    for `GIVES_UP_AFTER_S` counts as "hung", one whose connection broke under a request as "cut off". Every try has a connection
    of its own: an idle one may be closed at the moment it is used again, and that is nobody's fault.
    """

    def __init__(self, shop: Shop, orders: int, per_s: float) -> None:
        self.journeys = [Journey(shop, shop.goods()) for _ in range(orders)]
        self.answers: Counter[int | str] = Counter()
        self.slowest_s = 0.0
        self._client = shop.house.api("channel", is_patient=False)
        self._client.headers["Connection"] = "close"
        self._per_s = per_s
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def released(self) -> Sequence[Journey]:
        """The journeys once each order is with its warehouse; fails for one that was acknowledged and forgotten."""
        for journey in self.journeys:
            assert journey.order_id, "an order was never acknowledged"
            journey.until_released()
        return self.journeys

    def _run(self) -> None:
        with ThreadPoolExecutor(16) as pool:
            for journey in self.journeys:
                pool.submit(self._place, journey)
                time.sleep(1 / self._per_s)

    def _place(self, journey: Journey) -> None:
        body, headers = journey.body(), key(uuid.uuid4().hex)
        for _ in range(_TRIES):
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
                    return
            time.sleep(0.3)

    def _count(self, what: int | str, began: float) -> None:
        with self._lock:
            self.answers[what] += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
