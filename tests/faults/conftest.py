"""One house of real processes for all proofs that leave it whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.house import House
from tests.faults.journey import Shop


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The system as real processes."""
    with House(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="session")
def shop(house: House) -> Shop:
    """A wholesaler in the house."""
    return Shop(house)
