from __future__ import annotations

from datetime import timedelta
from itertools import accumulate, repeat

import pytest

from workflows.steps import PATIENT


def asked_at() -> list[float]:
    """When a patient step asks an absent service, in seconds after its first try."""
    assert PATIENT.maximum_interval is not None
    most = PATIENT.maximum_interval.total_seconds()

    def grown(interval: float, coefficient: float) -> float:
        return min(most, interval * coefficient)

    first = PATIENT.initial_interval.total_seconds()
    return [0.0, *accumulate(accumulate(repeat(PATIENT.backoff_coefficient, 40), grown, initial=first))]


@pytest.mark.parametrize(("away", "noticed_within"), [(2, 0.5), (7, 3), (30, 10), (300, 15)])
def test_a_step_soon_notices_that_its_service_is_back(away: int, noticed_within: float) -> None:
    next_try = min(at for at in asked_at() if at >= away)

    assert timedelta(seconds=next_try - away) <= timedelta(seconds=noticed_within)
