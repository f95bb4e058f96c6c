"""One whole system a module and database kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.harness import System
from tests.system.trade import Trade


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Everything running, in this process."""
    with System(tmp_path_factory.mktemp(f"system-{request.param}"), request.param) as system:
        yield system


@pytest.fixture
def trade(system: System) -> Trade:
    """A wholesaler of its own in the system."""
    return Trade(system)
