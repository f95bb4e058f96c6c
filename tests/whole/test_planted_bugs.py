"""The walks bite: with a bug planted behind the services' doors one of a few fails, and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from services.billing import returning
from services.inventory import adjusting, transactions
from services.kernel.errors import Refused
from tests.whole import walk
from tests.whole.acts import live
from tests.whole.ground import Ground

SEEDS = range(30)
Plant = Callable[[pytest.MonkeyPatch], None]


def credit_twice(patch: pytest.MonkeyPatch) -> None:
    """What a warehouse counted is credited again where the invoice has room for it."""
    original = returning.credit

    def credit(session: Any, order_id: str, return_id: str, lines: Any, reason: str, now: Any) -> Any:
        notes = original(session, order_id, return_id, lines, reason, now)
        with suppress(Refused), session.begin_nested():
            original(session, order_id, return_id, lines, reason, now)
        return notes

    patch.setattr(returning, "credit", credit)


def keep_stock(patch: pytest.MonkeyPatch) -> None:
    """What is canceled stays reserved."""
    patch.setattr(adjusting, "adjust", lambda *_: "")
    patch.setattr(transactions, "release", lambda *_: (0, 0))


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("plant", "says"), [(credit_twice, "'billed'|still under way"), (keep_stock, "'allocated")])
def test_a_planted_bug_is_found_within_a_few_walks(
    ground: Ground, plant: Plant, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "CHECK_S", 2.0)
    plant(monkeypatch)

    with pytest.raises(AssertionError, match=says):
        live_all(ground)


def live_all(ground: Ground) -> None:
    for seed in SEEDS:
        live(ground, seed, "terms")
