"""SQL is compiled once a test process: SQLAlchemy keeps it by engine and dialect, and each test has databases of its own."""

from __future__ import annotations

import functools
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.util import LRUCache

from services.runtime import db

MOST = 20_000


def compile_once() -> None:
    """From now on all engines of a kind share the dialect that connected first, and what was compiled for it."""
    original, compiled = db._engine, LRUCache[Any, Any](MOST)
    dialects: dict[str, Dialect] = {}

    @functools.wraps(original)
    def engine_of(url: str, *more: Any, **named: Any) -> Engine:
        engine = original(url, *more, **named)
        kind, dialect = engine.dialect.name, engine.dialect
        if kind in dialects:
            engine.dialect = dialects[kind]
        else:  # it knows its server once it has connected
            event.listen(engine, "connect", lambda *_: dialects.setdefault(kind, dialect))
        engine._compiled_cache = compiled
        return engine

    db._engine = engine_of
