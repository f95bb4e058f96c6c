"""What a person reads out of an order's workflow history, and out of nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what, and when."""

    who: str
    what: str
    at: datetime


def decisions(history: WorkflowHistory) -> list[Decision]:
    """The decisions of people, in their order, as the inputs of updates show them."""
    return [
        Decision(said["who"], said["what"], event.event_time.ToDatetime(UTC))
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
        for asked in [event.workflow_execution_update_accepted_event_attributes.accepted_request.input]
        if asked.name in {"decide", "consent", "amend"}
        for said in _read(asked.args)
    ]


def answers(history: WorkflowHistory, activity: str) -> list[dict[str, Any]]:
    """What the steps of a type answered, in their order, whichever way they ran."""
    return [answer for name, answer in _steps(history) if name == activity]


def timers(history: WorkflowHistory) -> list[str]:
    """The purpose of each timer, as the timeline labels it."""
    return [
        json.loads(event.user_metadata.summary.data)
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    ]


def _steps(history: WorkflowHistory) -> Iterator[tuple[str, dict[str, Any]]]:
    scheduled: dict[int, str] = {}
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            yield from _local(event)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done = event.activity_task_completed_event_attributes
            yield from ((scheduled[done.scheduled_event_id], answer) for answer in _read(done.result))


def _local(event: HistoryEvent) -> Iterator[tuple[str, dict[str, Any]]]:
    details = event.marker_recorded_event_attributes.details
    if "result" in details:
        (about,) = _read(details["data"])
        yield from ((about["activity_type"], answer) for answer in _read(details["result"]))


def _read(payloads: Payloads) -> list[dict[str, Any]]:
    return [_json(payload) for payload in payloads.payloads]


def _json(payload: Payload) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(payload.data)
    return read
