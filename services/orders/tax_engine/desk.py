"""The tax desk: asks the engine within a time, leaves one alone that was away a moment ago, and says in words what kept an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from services.orders.domain.tax_engine import EngineAway, EngineRefused, Quote, TaxEngine, TaxQuery

log = structlog.get_logger()

REST_S = 10.0
"""How long nobody but a retry asks an engine that was away: whoever places an order would wait for nothing."""


class EngineDesk:
    """Where there is an engine. Used by many threads."""

    def __init__(self, engine: TaxEngine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._away_until, self._problem = 0.0, ""

    @property
    def is_open(self) -> bool:
        """Yes."""
        return True

    def quote(self, query: TaxQuery, *, is_retry: bool = False) -> Quote:
        """What the engine says; never an exception for what it does or does not do."""
        resting = "" if is_retry else self._resting()
        if resting:
            return Quote(query, problem=resting)
        try:
            answer = self._engine.ask(query)
        except EngineAway as away:
            log.warning("tax_engine.away", reason=str(away))
            self._note(str(away))
            return Quote(query, problem=str(away))
        except EngineRefused as refusal:
            log.warning("tax_engine.refused", is_address=refusal.is_address)  # its sentence may repeat an address
            self._note("")
            return Quote(query, problem=str(refusal), is_refused=True, is_address=refusal.is_address)
        self._note("")
        return Quote(query, answer)

    def _resting(self) -> str:
        with self._lock:
            return self._problem if self._monotonic() < self._away_until else ""

    def _note(self, problem: str) -> None:
        with self._lock:
            self._problem, self._away_until = problem, self._monotonic() + REST_S if problem else 0.0
