"""A switch for any test here: once so many orders are placed, the API is gone for good.

`OMS_TEST_LOSE_API_AFTER=10 pytest tests/faults/test_kills.py -m prove` ends red, and soon. The file that OMS_TEST_API_LOST_FILE
names, if any, is written at that moment and holds its Unix time.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.system.harness import System

AFTER_VARIABLE = "OMS_TEST_LOSE_API_AFTER"
FILE_VARIABLE = "OMS_TEST_API_LOST_FILE"
_CHECK_EVERY_S = 0.05
_JOIN_S = 30.0


@contextmanager
def losing(orders_url: str, lose: Callable[[], None]) -> Iterator[None]:
    """While the block runs, count the orders in this database, and `lose` the API when the switch says so."""
    if AFTER_VARIABLE not in os.environ:
        yield
        return
    is_over, after = threading.Event(), int(os.environ[AFTER_VARIABLE])

    def watch() -> None:
        while not is_over.wait(_CHECK_EVERY_S):
            if placed(orders_url) >= after:
                _note_the_time()
                lose()
                return

    thread = threading.Thread(target=watch, daemon=True, name="losing")
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(_JOIN_S)
        assert not thread.is_alive(), f"the API does not die within {_JOIN_S:.0f} s"


def placed(orders_url: str) -> int:
    """How many orders there are."""
    engine = create_engine(orders_url)
    try:
        with closing(engine.connect()) as connection:
            return int(connection.execute(text("SELECT count(*) FROM sales_order")).scalar_one())
    finally:
        engine.dispose()


def _note_the_time() -> None:
    if file := os.environ.get(FILE_VARIABLE):
        Path(file).write_text(str(time.time()))


@contextmanager
def whole_system(folder: Path, kind: str) -> Iterator[System]:
    """A system in this process that obeys the switch: its API, and the whole orders service with it, is stopped."""
    with System(folder, kind) as system, losing(system._database_url("orders"), lambda: system.stop_service("orders")):
        yield system
