from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from services.kernel.errors import Conflict
from services.orders.store import master
from services.runtime.db import Database

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_of_two_policies_at_once_each_gets_a_version_of_its_own_or_a_clear_no(database: Database) -> None:
    together = threading.Barrier(6)

    def add(number: int) -> int | None:
        together.wait(timeout=10)
        try:
            with database.transaction() as session:
                return master.add_policy(session, {"rules": [], "from": number}, f"admin-{number}", NOW).version
        except Conflict:  # POLICY_OVERTAKEN: any other failure fails the test
            return None

    with ThreadPoolExecutor(6) as pool:
        versions = [version for version in pool.map(add, range(6)) if version is not None]

    assert versions
    assert sorted(versions) == list(range(1, len(versions) + 1))
