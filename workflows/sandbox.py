"""The sandbox that stories run in at work: the SDK's own, entered for a turn and not for every payload beside it."""

from __future__ import annotations

from typing import Any

from temporalio.converter import DataConverter, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions


def sandbox(converter: DataConverter, *passed_through: str) -> WorkflowRunner:
    """The runner for a worker whose payloads this converter reads and writes.

    A codec or an external storage may want to know whose payload it has, so with one of them the story is asked, as the SDK does.
    """
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*passed_through)
    if converter.payload_codec is None and converter.external_storage is None:
        return UnaskedRunner(restrictions=restrictions)
    return SandboxedWorkflowRunner(restrictions=restrictions)


class UnaskedRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, whose stories are not asked whose payload each is where nobody wants to know; see DECISIONS.md."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A story in its sandbox."""
        return _Unasked(super().create_instance(det))


class _Unasked(WorkflowInstance):
    def __init__(self, story: WorkflowInstance) -> None:
        self._story = story

    def activate(self, act: Any) -> Any:
        """One turn, in the sandbox."""
        return self._story.activate(act)

    def get_serialization_context(self, command_info: Any) -> None:  # the SDK's signature
        """None: payloads are JSON, whosever they are."""

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:  # noqa: ARG002  # the same
        """No target: payloads stay in the history."""
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Any:
        """Which run it is."""
        return self._story.get_info()

    def get_thread_id(self) -> int | None:
        """Where a turn that never ends is stuck."""
        return self._story.get_thread_id()
