"""Systems that several tests share. One that did not start, or was lost, fails each test that wants it at once, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.house import House
from tests.faults.journey import Shop
from tests.faults.loss import whole_system
from tests.system.conftest import require
from tests.system.harness import System


@pytest.fixture(scope="session")
def running_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The system as real processes, for all tests that leave it whole."""
    with House(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="session")
def running_shop(running_house: House) -> Shop:
    """A wholesaler in the house."""
    return Shop(running_house)


@pytest.fixture
def house(running_house: House) -> House:
    """The house, unless it was lost."""
    running_house.health.check()
    return running_house


@pytest.fixture
def shop(house: House, running_shop: Shop) -> Shop:
    """The wholesaler, unless its house was lost."""
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
