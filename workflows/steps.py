"""step(): the one way a workflow asks a service. Local first, patient when the service is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

Answer = TypeVar("Answer")

QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=2)
PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=1.5, maximum_interval=timedelta(seconds=15)
)
QUICK_TIMEOUT = timedelta(seconds=2)
PATIENT_TIMEOUT = timedelta(seconds=15)
PATIENCE = timedelta(days=7)


async def step(activity: str, request: Any, answer: type[Answer], *, summary: str) -> Answer:
    """Ask a service and give its answer.

    Runs as a local activity (two tries of two seconds: no event but its marker). When the service cannot be reached the same
    call, with the same business key, becomes an ordinary activity that is retried for days. A refusal that is final raises
    ApplicationError whose type is the service's reason.
    """
    try:
        held: Answer = await workflow.execute_local_activity(
            activity,
            request,
            result_type=answer,
            start_to_close_timeout=QUICK_TIMEOUT,
            retry_policy=QUICK,
            local_retry_threshold=timedelta(seconds=3),
            summary=summary,
        )
        return held
    except FailureError as failure:
        refusal = refusal_of(failure)
        if refusal is None or refusal.non_retryable:
            raise
    return await slow_step(activity, request, answer, summary=f"{summary} (the service was away: trying patiently)")


async def slow_step(
    activity: str, request: Any, answer: type[Answer], *, summary: str, queue: str | None = None
) -> Answer:
    """Ask a service by an ordinary activity, retried for days; on the queue named, or that of the order."""
    patient: Answer = await workflow.execute_activity(
        activity,
        request,
        result_type=answer,
        task_queue=queue,
        start_to_close_timeout=PATIENT_TIMEOUT,
        schedule_to_close_timeout=PATIENCE,
        retry_policy=PATIENT,
        summary=summary,
    )
    return patient


def refusal_of(failure: BaseException) -> ApplicationError | None:
    """The service's own error inside a failed step, whichever way the step ran; None when it was a cancellation.

    A local activity's failure arrives bare, an ordinary activity's as the cause of an ActivityError. A local activity that
    timed out has no error of the service: it is reported as retryable.
    """
    if isinstance(failure, ApplicationError):
        return failure
    if isinstance(failure, ActivityError):
        cause = failure.cause
        if isinstance(cause, ApplicationError):
            return cause
        if cause is not None and type(cause).__name__ == "TimeoutError":
            return ApplicationError("the service did not answer in time", type="UNREACHABLE")
    return None
