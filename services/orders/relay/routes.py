"""What the outbox of orders sets in motion: mails to notifications; starts, signals and cancellations to Temporal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

import structlog

from oms.notifications.v1 import notifications_pb2 as notifications
from services.kernel.clock import Clock, utc_now
from services.orders.lifecycle import cancel, resume
from services.orders.order import lookup
from services.orders.order.outbox import (
    CANCEL,
    NOTIFY,
    REFRESH,
    RESUME,
    RETURN_SIGNAL,
    SIGNAL,
    START,
    START_RETURN,
    STOCK_SIGNAL,
)
from services.orders.relay.turns import Signals, Turns, Wakeable
from services.orders.returns import reading
from services.orders.store import facts as store
from services.orders.store import orders
from services.orders.store.facts import LateFact
from services.runtime.db import Database
from services.runtime.facts import parcels
from services.runtime.grpc_client import Unreachable
from services.runtime.outbox import OutboxRow
from services.runtime.relay import Route
from workflows.client import OrderWorkflows, Unanswered
from workflows.messages import CancelOrder, CancelOutcome, ClearanceRefresh, FactNote, OrderRef
from workflows.return_messages import ReturnNote, ReturnRef

log = structlog.get_logger()

MAIL_GATHERING = timedelta(milliseconds=200)
"""How long a new mail waits for company. What people or a workflow wait for, a start, a signal, waits for nothing."""
MOST = 100
"""So many notices a call takes."""
STOCK_SIGNALS = 1
"""So many orders are told at once that stock has come: a relay that stops waits for one turn."""

NotifyAll = Callable[[notifications.NotifyAllRequest], notifications.NotifyAllResponse]


class Workflows(Wakeable, Protocol):
    """The blocking part of workflows.client.OrderWorkflows; every call raises Unreachable while Temporal is away."""

    def start(self, order: OrderRef) -> None:
        """Start the order's workflow unless it was started before; one that goes on for a lost run, unless one runs."""

    def start_return(self, ref: ReturnRef) -> None:
        """Start the workflow of a return, unless it runs."""

    def signal_return(self, number: str, name: str, note: ReturnNote) -> bool:
        """Wake the workflow of a return; False when it has ended or never was."""

    def cancel_later(self, number: str, request: CancelOrder) -> CancelOutcome | None:
        """Hand a cancellation over; None when the workflow has ended or never was."""

    def refresh_later(self, number: str, update: str, refresh: ClearanceRefresh, update_id: str) -> bool:
        """Let the workflow see what somebody decided; False when it has ended or never was."""


def open_workflows(target: str, namespace: str) -> OrderWorkflows:
    """The door to Temporal; it connects when first used."""
    return OrderWorkflows(target, namespace)


def routes(
    database: Database, notify_all: NotifyAll, workflows: Workflows, clock: Clock = utc_now
) -> tuple[Route, ...]:
    """The routes of the relay: one each, so that an absent receiver stops nothing but its own rows."""
    turns = Turns(workflows)
    return (
        Route(frozenset({NOTIFY}), lambda rows: _notify(rows, notify_all), MAIL_GATHERING),
        Route(frozenset({START}), lambda rows: _start(rows, workflows)),
        Route(frozenset({RESUME}), lambda rows: _resume(rows, workflows, database, clock)),
        Route(frozenset({SIGNAL}), lambda rows: _signal(rows, workflows, database, clock)),
        Route(frozenset({STOCK_SIGNAL}), lambda rows: _signal(rows, turns, database, clock), most=STOCK_SIGNALS),
        Route(frozenset({CANCEL}), lambda rows: _cancel(rows, workflows, database, clock)),
        Route(frozenset({REFRESH}), lambda rows: _refresh(rows, workflows, database)),
        Route(frozenset({START_RETURN, RETURN_SIGNAL}), lambda rows: _returns(rows, workflows, database)),
    )


def _notify(rows: Sequence[OutboxRow], notify_all: NotifyAll) -> Iterable[str]:
    """Ask for the mails in the order they were written, so that e-mail 2 never overtakes e-mail 1."""
    return [
        event_id
        for notices in parcels([_notice(row) for row in rows], MOST)
        for event_id in notify_all(notifications.NotifyAllRequest(notices=notices)).event_ids
    ]


def _notice(row: OutboxRow) -> notifications.NotifyRequest:
    detail = row.detail
    return notifications.NotifyRequest(
        event_id=row.fact_id,
        kind=detail["mail"],
        order_id=row.order_id,
        order_number=detail["order_number"],
        recipients=[notifications.Recipient(**recipient) for recipient in detail["recipients"]],
        attachment=_attachment(row),
        variables_json=json.dumps(detail["variables"], ensure_ascii=False, sort_keys=True),
    )


def _attachment(row: OutboxRow) -> notifications.Attachment | None:
    named = row.detail.get("attachment")
    return notifications.Attachment(**named) if named else None


def _start(rows: Sequence[OutboxRow], workflows: Workflows) -> Iterable[str]:
    for row in rows:
        workflows.start(OrderRef(**row.detail))
        log.info("workflow.started_later", order_id=row.order_id)
    return [row.fact_id for row in rows]


def _returns(rows: Sequence[OutboxRow], workflows: Workflows, database: Database) -> Iterable[str]:
    """Start the workflows of returns, and wake them; where none runs of a return that is open, it was lost, and another one begins."""

    def hand_over(row: OutboxRow) -> None:
        if row.kind == START_RETURN:
            workflows.start_return(ReturnRef(**row.detail))
            log.info("return.started", order_id=row.order_id, return_id=row.subject_id)
            return
        note = ReturnNote(str(row.detail["fact_id"] or row.fact_id))
        if workflows.signal_return(str(row.detail["number"]), str(row.detail["signal"]), note):
            return
        with database.reading() as session:
            found = reading.one(session, row.subject_id)
        if found.is_open:
            workflows.start_return(ReturnRef(found.return_id, found.number, found.order_number, found.announced))
            log.warning("return.started_again", order_id=row.order_id, return_id=row.subject_id)

    return _one_by_one(rows, hand_over)


def _resume(rows: Sequence[OutboxRow], workflows: Workflows, database: Database, clock: Clock) -> Iterable[str]:
    """Start workflows again that were lost; one that runs meanwhile stays as it is."""

    def start_again(row: OutboxRow) -> None:
        workflows.start(OrderRef(**row.detail))
        with database.transaction() as session:
            resume.started_again(session, row.order_id, clock())
        log.info("workflow.resumed", order_id=row.order_id, resumption=row.detail["resumption"])

    return _one_by_one(rows, start_again)


def _signal(rows: Sequence[OutboxRow], workflows: Signals, database: Database, clock: Clock) -> Iterable[str]:
    numbers = _numbers(rows, database)
    for row in rows:
        name = row.detail["signal"]
        note = FactNote(row.detail["fact_id"] or row.fact_id, row.subject_id, bool(row.detail["is_complete"]))
        if not workflows.signal(numbers[row.order_id], name, note):
            with database.transaction() as session:
                store.keep_late(session, LateFact(note.fact_id, name, row.order_id, row.subject_id, clock()))
            log.warning("fact.late", fact_id=note.fact_id, signal=name, order_id=row.order_id)
    return [row.fact_id for row in rows]


def _cancel(rows: Sequence[OutboxRow], workflows: Workflows, database: Database, clock: Clock) -> Iterable[str]:
    """Hand over what the request itself could not. A workflow that refuses declines it, one that has not begun waits.

    Of an open order whose workflow is lost it stays asked: the run that goes on reads it.
    """
    order_ids = sorted({row.order_id for row in rows})
    with database.reading() as session:
        to_begin = store.unsent_of(session, START, order_ids) | store.unsent_of(session, RESUME, order_ids)
        living = lookup.living(session, order_ids, [])
    numbers = _numbers(rows, database)

    def hand_over(row: OutboxRow) -> None:
        if row.order_id in to_begin:
            raise Unanswered(f"the workflow of {row.order_id} is still to be started")
        request = CancelOrder(str(row.detail["cancellation_id"]), str(row.detail["reason"]))
        outcome = workflows.cancel_later(numbers[row.order_id], request)
        if outcome is None and row.order_id in living:
            log.warning("cancellation.no_workflow", order_id=row.order_id)
            return
        if outcome is None or not outcome.is_cancelled:
            reason = outcome.reason if outcome else "the order had ended before it could be canceled"
            with database.transaction() as session:
                cancel.decline(session, row.order_id, request.cancellation_id, reason, clock())

    return _one_by_one(rows, hand_over)


def _refresh(rows: Sequence[OutboxRow], workflows: Workflows, database: Database) -> Iterable[str]:
    """Show what the request itself could not; a workflow that has ended has nothing to refresh."""
    numbers = _numbers(rows, database)

    def show(row: OutboxRow) -> None:
        number, update = numbers[row.order_id], str(row.detail["update"])
        refresh = ClearanceRefresh(row.subject_id, str(row.detail["who"]), str(row.detail["what"]))
        if not workflows.refresh_later(number, update, refresh, row.fact_id):
            log.info("refresh.too_late", order_id=row.order_id, subject_id=row.subject_id)

    return _one_by_one(rows, show)


def _numbers(rows: Sequence[OutboxRow], database: Database) -> dict[str, str]:
    """Order id → number: the workflow of an order is found by its number."""
    with database.reading() as session:
        return orders.numbers(session, {row.order_id for row in rows})


def _one_by_one(rows: Sequence[OutboxRow], hand_over: Callable[[OutboxRow], None]) -> list[str]:
    """The ids that arrived: an order whose workflow does not answer holds up no other. Raises Unreachable when none did."""
    arrived: list[str] = []
    absence: Unreachable | None = None
    for row in rows:
        try:
            hand_over(row)
        except Unanswered as silence:
            absence = silence
            log.warning("outbox.unanswered", order_id=row.order_id, error=str(silence))
        except Unreachable as away:  # so is Temporal for the rest of them
            absence = away
            break
        else:
            arrived.append(row.fact_id)
    if absence is not None and not arrived:
        raise absence
    return arrived
