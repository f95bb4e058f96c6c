"""The typed door to the order workflows: start, place, cancel, show what people decided, and hand facts over."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from services.runtime import telemetry
from services.runtime.grpc_client import Unreachable
from workflows import names
from workflows.messages import Acknowledged, CancelOrder, CancelOutcome, ClearanceRefresh, FactNote, OrderRef, Receipt
from workflows.return_messages import ReturnNote, ReturnRef

RPC_TIMEOUT = timedelta(seconds=5)
CONNECT_TIMEOUT = timedelta(seconds=2)
ANSWER_TIMEOUT = timedelta(seconds=30)
"""Longer than all calls of one method together, each of which has a time of its own."""

Result = TypeVar("Result")


def search_attributes(order: OrderRef) -> TypedSearchAttributes:
    """What an order can be found by in the Temporal UI; ids and amounts, nothing personal."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(names.NUMBER, order.number),
            SearchAttributePair(names.CUSTOMER, order.customer_id),
            SearchAttributePair(names.CHANNEL, order.channel),
            SearchAttributePair(names.PO_NUMBER, order.po_number),
            SearchAttributePair(names.TOTAL_MINOR, order.total_minor),
            SearchAttributePair(names.PHASE, "open"),
        ]
    )


def summary(order: OrderRef) -> str:
    """The line that the list of workflows shows."""
    return " · ".join(part for part in (order.number, order.customer_name, order.po_number, order.total_text) if part)


def _reuse_policy(order: OrderRef) -> WorkflowIDReusePolicy:
    """An order is started once; who goes on for a lost run may start what has ended, and never beside one that runs."""
    return WorkflowIDReusePolicy.ALLOW_DUPLICATE if order.resumption else WorkflowIDReusePolicy.REJECT_DUPLICATE


class Unanswered(Unreachable):
    """Temporal answers, but the workflow of this order does not yet: others may."""


class OrderWorkflows:
    """Order workflows, for callers in threads and for asyncio callers on any loop.

    It owns one event loop in a thread and connects when first used, so a process starts while Temporal is away. Every method
    raises Unreachable when Temporal does not answer in time, at the latest after `within`, and after `close()`.
    """

    def __init__(self, target: str, namespace: str, within: timedelta = ANSWER_TIMEOUT) -> None:
        self._target = target
        self._namespace = namespace
        self._within_s = within.total_seconds()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="temporal-client")
        self._client: Client | None = None
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    # For asyncio callers.

    async def place(self, order: OrderRef, timeout: timedelta) -> Receipt | None:
        """Start the order and wait for its verdict in one round trip; None when the verdict takes longer than `timeout`."""
        return await self._answer(self._place(order, timeout))

    async def cancel(self, number: str, request: CancelOrder, timeout: timedelta) -> CancelOutcome | None:
        """Cancel the order; None when it takes longer than `timeout` or no workflow runs yet."""
        return await self._answer(self._cancel(number, request, timeout))

    async def refresh(
        self, number: str, update: str, refresh: ClearanceRefresh, update_id: str, timeout: timedelta
    ) -> Acknowledged | None:
        """Let the workflow see what somebody decided; None when it takes longer than `timeout` or no workflow runs.

        `update` is one of names.LOOKS; the same `update_id` again gets the first answer.
        """
        return await self._answer(self._refresh(number, update, refresh, update_id, timeout))

    async def is_running(self, number: str) -> bool:
        """Whether the order's workflow runs now."""
        return await self._answer(self._is_running(number))

    async def is_reachable(self) -> bool:
        """Whether Temporal answers within two seconds."""
        return await self._answer(self._is_reachable())

    # For threads (relays).

    def start(self, order: OrderRef) -> None:
        """Start the order's workflow unless it was started before; one that goes on for a lost run, unless one runs."""
        self._result(self._start(order))

    def signal(self, number: str, name: str, note: FactNote) -> bool:
        """Hand a fact over; the fact id makes a repeat harmless. False when the workflow has ended or never was."""
        return self._result(self._signal(number, name, note))

    def start_return(self, ref: ReturnRef) -> None:
        """Start the workflow of a return, or start it again, unless it runs."""
        self._result(self._start_return(ref))

    def signal_return(self, number: str, name: str, note: ReturnNote) -> bool:
        """Wake the workflow of a return; the fact id makes a repeat harmless. False when it has ended or never was."""
        return self._result(self._signal_workflow(names.return_workflow_id(number), name, note, note.fact_id))

    def is_busy(self, number: str) -> bool:
        """Whether the order's workflow has something to do now: it is on its turn, or will be once a worker is free."""
        return self._result(self._is_busy(number))

    def cancel_later(self, number: str, request: CancelOrder) -> CancelOutcome | None:
        """Ask for a cancellation whose answer no request waits for. None when the workflow has ended or never was."""
        return self._result(self._cancel_later(number, request))

    def refresh_later(self, number: str, update: str, refresh: ClearanceRefresh, update_id: str) -> bool:
        """Let the workflow see what somebody decided, without an answer. False when the workflow has ended or never was."""
        return self._result(self._refresh_later(number, update, refresh, update_id))

    # The calls themselves, on the loop of this object.

    def _submit(self, call: Coroutine[Any, Any, Result]) -> Future[Result]:
        if not self._thread.is_alive():
            call.close()
            raise Unreachable("temporal: this process is stopping")
        return asyncio.run_coroutine_threadsafe(call, self._loop)

    def _result(self, call: Coroutine[Any, Any, Result]) -> Result:
        asked = self._submit(call)
        try:
            return asked.result(self._within_s)
        except TimeoutError as late:
            asked.cancel()
            raise Unreachable(f"temporal: no answer from {self._target}") from late

    async def _answer(self, call: Coroutine[Any, Any, Result]) -> Result:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._submit(call)), self._within_s)
        except TimeoutError as late:
            raise Unreachable(f"temporal: no answer from {self._target}") from late

    async def _connected(self) -> Client:
        """The client; once connected it finds back by itself whenever Temporal returns."""
        if self._client is None:
            connecting = Client.connect(self._target, namespace=self._namespace, interceptors=telemetry_interceptors())
            try:
                self._client = await asyncio.wait_for(connecting, CONNECT_TIMEOUT.total_seconds())
            except (RuntimeError, TimeoutError) as absence:
                raise Unreachable(f"temporal does not answer at {self._target}") from absence
        return self._client

    async def _place(self, order: OrderRef, timeout: timedelta) -> Receipt | None:
        client = await self._connected()
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            names.ORDER_WORKFLOW,
            order,
            id=names.order_workflow_id(order.number),
            task_queue=names.ORDER_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=search_attributes(order),
            static_summary=summary(order),
        )
        try:
            return await asyncio.wait_for(
                client.execute_update_with_start_workflow(
                    names.PLACE,
                    id=names.PLACE,
                    start_workflow_operation=start,
                    result_type=Receipt,
                    rpc_timeout=timeout,
                ),
                timeout.total_seconds() + 0.5,
            )
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowAlreadyStartedError):
            await _read_failure(start)
        except WorkflowUpdateFailedError:
            await _read_failure(start)  # the workflow ended before it could answer: what it recorded is the answer
        except RPCError as error:
            if error.status not in _AWAY:
                raise
            await _read_failure(start)
        return None

    async def _cancel(self, number: str, request: CancelOrder, timeout: timedelta) -> CancelOutcome | None:
        try:
            return await self._update(number, names.CANCEL, request, request.cancellation_id, CancelOutcome, timeout)
        except WorkflowUpdateFailedError as refused:
            cause = refused.cause
            if isinstance(cause, ApplicationError) and cause.type in _INTERRUPTED:
                return None  # the run has ended and its order has not: the next one settles what was asked
            sentence = cause.message if isinstance(cause, ApplicationError) else str(cause)
            return CancelOutcome(is_cancelled=False, reason=sentence)

    async def _cancel_later(self, number: str, request: CancelOrder) -> CancelOutcome | None:
        outcome = await self._cancel(number, request, RPC_TIMEOUT)
        if outcome is None:
            await self._is_gone_or_try_again(number)
        return outcome

    async def _refresh(
        self, number: str, update: str, refresh: ClearanceRefresh, update_id: str, timeout: timedelta
    ) -> Acknowledged | None:
        try:
            return await self._update(number, update, refresh, update_id, Acknowledged, timeout)
        except WorkflowUpdateFailedError:
            return None  # the workflow has ended: there is nothing left to look at

    async def _refresh_later(self, number: str, update: str, refresh: ClearanceRefresh, update_id: str) -> bool:
        if await self._refresh(number, update, refresh, update_id, RPC_TIMEOUT) is not None:
            return True
        return await self._is_gone_or_try_again(number)

    async def _update(
        self, number: str, name: str, request: Any, update_id: str, answer: type[Result], timeout: timedelta
    ) -> Result | None:
        """The answer of an update; None when it does not come in time or no such workflow runs yet."""
        handle = (await self._connected()).get_workflow_handle(names.order_workflow_id(number))
        try:
            return await asyncio.wait_for(
                handle.execute_update(name, request, id=update_id, result_type=answer, rpc_timeout=timeout),
                timeout.total_seconds() + 0.5,
            )
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            return None
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND or error.status in _AWAY:
                return None
            raise

    async def _is_gone_or_try_again(self, number: str) -> bool:
        """False when the workflow has ended or never was; Unanswered while it runs and only has not answered yet."""
        if await self._is_running(number):
            raise Unanswered("the order's workflow has not answered yet")
        return False

    async def _is_running(self, number: str) -> bool:
        found = await self._description(number)
        return found is not None and found.status == WorkflowExecutionStatus.RUNNING

    async def _is_busy(self, number: str) -> bool:
        found = await self._description(number)
        return found is not None and found.raw_description.HasField("pending_workflow_task")

    async def _description(self, number: str) -> WorkflowExecutionDescription | None:
        """The order's newest run as the server has it; None when there never was one."""
        try:
            handle = (await self._connected()).get_workflow_handle(names.order_workflow_id(number))
            return await handle.describe(rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise Unreachable(f"temporal: {error.message}") from error

    async def _start(self, order: OrderRef) -> None:
        client = await self._connected()
        try:
            await client.start_workflow(
                names.ORDER_WORKFLOW,
                order,
                id=names.order_workflow_id(order.number),
                task_queue=names.ORDER_QUEUE,
                id_reuse_policy=_reuse_policy(order),
                search_attributes=search_attributes(order),
                static_summary=summary(order),
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return
        except RPCError as error:
            raise Unreachable(f"temporal: {error.message}") from error

    async def _start_return(self, ref: ReturnRef) -> None:
        client = await self._connected()
        try:
            await client.start_workflow(
                names.RETURN_WORKFLOW,
                ref,
                id=names.return_workflow_id(ref.number),
                task_queue=names.ORDER_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=TypedSearchAttributes([SearchAttributePair(names.NUMBER, ref.number)]),
                static_summary=f"{ref.number} · {ref.order_number} · {ref.units} units",
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return
        except RPCError as error:
            raise Unreachable(f"temporal: {error.message}") from error

    async def _signal(self, number: str, name: str, note: FactNote) -> bool:
        return await self._signal_workflow(names.order_workflow_id(number), name, note, note.fact_id)

    async def _signal_workflow(self, workflow_id: str, name: str, note: FactNote | ReturnNote, request_id: str) -> bool:
        client = await self._connected()
        payloads = await client.data_converter.encode([note])
        request = SignalWorkflowExecutionRequest(
            namespace=self._namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=name,
            input=Payloads(payloads=payloads),
            identity=client.identity,
            request_id=request_id,
        )
        try:
            await client.workflow_service.signal_workflow_execution(request, retry=False, timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise Unreachable(f"temporal: {error.message}") from error
        return True

    async def _is_reachable(self) -> bool:
        try:
            return await (await self._connected()).service_client.check_health(timeout=timedelta(seconds=2))
        except (RPCError, Unreachable):
            return False


_INTERRUPTED = frozenset({names.INTERRUPTED, "AcceptedUpdateCompletedWorkflow"})
"""Types of the errors of an update whose workflow ended without an answer: ours, and the server's own."""

_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.ALREADY_EXISTS,
        RPCStatusCode.FAILED_PRECONDITION,  # a workflow task has failed and is tried again: there is no answer yet
    }
)


async def _read_failure(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """The SDK leaves the failure in the start operation too; unread, it would be logged as never retrieved."""
    with contextlib.suppress(RPCError, TimeoutError, WorkflowAlreadyStartedError, asyncio.CancelledError):
        await asyncio.wait_for(start.workflow_handle(), 0.01)


def telemetry_interceptors() -> list[Any]:
    """The tracing interceptor where traces are on, nothing where they are off."""
    if not telemetry.is_tracing():
        return []
    from workflows.activities.tracing import KeptTracing

    return [KeptTracing()]
