from __future__ import annotations

from datetime import timedelta
from itertools import accumulate, repeat

import pytest
from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, FailureError

from workflows.steps import PATIENT, refusal_of


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


def of_activity(cause: FailureError) -> ActivityError:
    """An activity's failure, as the SDK wraps it."""
    failure = ActivityError(
        "Activity task failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="worker",
        activity_type="billing.IssueInvoice",
        activity_id="1",
        retry_state=None,
    )
    failure.__cause__ = cause
    return failure


def test_a_step_without_an_answer_is_asked_again_and_a_cancelled_one_is_not() -> None:
    refused = ApplicationError("no such order", type="NOT_FOUND", non_retryable=True)
    late = refusal_of(of_activity(exceptions.TimeoutError("start to close", type=None, last_heartbeat_details=[])))

    assert late is not None
    assert (late.type, late.non_retryable) == ("UNREACHABLE", False)
    assert refusal_of(refused) is refused
    assert refusal_of(of_activity(refused)) is refused
    assert refusal_of(of_activity(CancelledError())) is None
    assert refusal_of(CancelledError()) is None
