"""A system for the walks alone: its seams may be broken, and its clocks moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.harness import System
from tests.system.trade import ok
from tests.whole.faults import planted
from tests.whole.ground import Ground
from tests.whole.model import FEE_PERCENT

RETURNS = {"window_days": 60, "valid_days": 30, "automatic_up_to": "100.00", "fee_percent": str(FEE_PERCENT)}


@pytest.fixture(scope="module")
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The system, and who trades in it."""
    kind = getattr(request, "param", "sqlite")
    with planted() as faults, System(tmp_path_factory.mktemp(f"whole-{kind}"), kind) as system:
        ground = Ground(system, faults)
        ok(system.api("admin").patch("/v1/policies", json={"returns": RETURNS}))
        yield ground
