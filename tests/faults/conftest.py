"""Systems that several tests share. One that did not start, or was lost, fails each test that wants it at once, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.journey import Shop
from tests.faults.loss import whole_system
from tests.faults.running import RunningSystem
from tests.system.conftest import require
from tests.system.harness import System


@pytest.fixture(scope="session")
def running_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """The system as real processes, for all tests that leave it whole."""
    with RunningSystem(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture(scope="session")
def running_shop(running_for_module: RunningSystem) -> Shop:
    """A wholesaler in the running system."""
    return Shop(running_for_module)


@pytest.fixture
def running(running_for_module: RunningSystem) -> RunningSystem:
    """The system, unless it was lost."""
    running_for_module.health.check()
    return running_for_module


@pytest.fixture
def shop(running: RunningSystem, running_shop: Shop) -> Shop:
    """The wholesaler, unless its system was lost."""
    return running_shop


@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=pytest.mark.prove), "postgres"])
def running_system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system in this process, one a module and database kind."""
    with whole_system(tmp_path_factory.mktemp(f"system-{request.param}"), request.param) as system:
        yield system


@pytest.fixture
def system(running_system: System) -> System:
    """The module's system, unless it was lost."""
    require(running_system)
    return running_system
