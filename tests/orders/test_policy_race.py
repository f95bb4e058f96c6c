from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from services.kernel.errors import Conflict
from services.orders.store import masterdata
from services.runtime.db import Database
from tests.threads import at_once

pytestmark = pytest.mark.on_postgres

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_of_two_policies_at_once_each_gets_a_version_of_its_own_or_a_clear_no(database: Database) -> None:
    def add(number: int) -> int | None:
        try:
            with database.transaction() as session:
                return masterdata.add_policy(session, {"rules": [], "from": number}, f"admin-{number}", NOW).version
        except Conflict:  # POLICY_OVERTAKEN: any other failure fails the test
            return None

    outcomes = at_once([partial(add, number) for number in range(6)])

    versions = [version for version in outcomes if version is not None]
    assert versions
    assert sorted(versions) == list(range(1, len(versions) + 1))
