"""The port to AvaTax: `transactions/create` of its REST API v2, asked for a SalesOrder, which it calculates and does not keep."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

import httpx

from services.orders.domain.order import Address
from services.orders.domain.tax_engine import EngineAway, TaxAnswer, TaxQuery
from services.orders.tax_engine.avatax_wire import answer_of, body_of, refusal_of

PATH = "/api/v2/transactions/create"
_CLIENT = "oms; 1.0; Python; httpx; orders"
_LARGEST = 8 << 20
_STOPPED_S = 5.0


@dataclass(frozen=True, slots=True)
class Account:
    """How the engine knows us: where it is, `key` is account id and license key with a colon between, `company` its company code.

    `ships_from` is where goods are taxed from; `codes` is tax category → the engine's tax code, "freight" among them.
    """

    url: str
    key: str
    company: str
    ships_from: Address
    codes: Mapping[str, str]
    within_s: float = 2.0


class AvaTax:
    """AvaTax at an address. An answer comes within the account's time, or none; connections are kept for the next."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="tax-engine")
        self._client: httpx.AsyncClient | None = None

    def start(self) -> None:
        """Be ready to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        if not self._thread.is_alive():
            return
        wait([asyncio.run_coroutine_threadsafe(self._close(), self._loop)], _STOPPED_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOPPED_S)

    def ask(self, query: TaxQuery) -> TaxAnswer:
        """The tax of every line and of the freight. What is said twice is answered twice: nothing is kept there."""
        body = body_of(query, self._account.company, self._account.ships_from, self._account.codes)
        status, content = self._sent(body)
        if status in (httpx.codes.OK, httpx.codes.CREATED):
            return answer_of(content, query)
        raise refusal_of(status, content)

    def _sent(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        asked: Future[tuple[int, bytes]] = asyncio.run_coroutine_threadsafe(self._within_time(body), self._loop)
        try:
            return asked.result(self._account.within_s + _STOPPED_S)
        except TimeoutError as late:
            asked.cancel()
            raise EngineAway(f"has not answered within {self._account.within_s:g} s") from late
        except (httpx.HTTPError, httpx.InvalidURL) as absence:
            raise EngineAway(f"cannot be reached ({type(absence).__name__})") from absence

    async def _within_time(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        async with asyncio.timeout(self._account.within_s):
            return await self._post(body)

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Status and content; more than any answer has is not read."""
        client, content = self._opened(), bytearray()
        async with client.stream("POST", PATH, json=body) as response:
            async for part in response.aiter_bytes():
                content += part
                if len(content) > _LARGEST:
                    raise EngineAway("gives an answer that is too long")
        return response.status_code, bytes(content)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            account, _, license_key = self._account.key.partition(":")
            self._client = httpx.AsyncClient(
                base_url=self._account.url,
                auth=(account, license_key),
                headers={"X-Avalara-Client": _CLIENT},
                timeout=self._account.within_s,
                follow_redirects=False,
            )
        return self._client

    async def _close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
