"""Records a history of every life of a return: `python -m tests.replay.record_returns`, or of those that it is given by name."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from tests.replay.record import HISTORIES, without_the_machine
from tests.temporal import temporal_environment
from tests.workflows.return_driver import FakeReturn, quiet, return_worker, start, wake
from workflows import names

RETURNS = HISTORIES.with_name("return_histories")

Life = Callable[[WorkflowHandle[Any, Any], FakeReturn], Awaitable[None]]


async def credited(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """Two inspections, and nothing more comes."""
    await quiet(handle, 7)
    fake.inspections = ["insp_1"]
    await wake(handle, names.RETURN_INSPECTED)
    await quiet(handle, 14)
    fake.inspections, fake.awaits_more = ["insp_2"], False
    await wake(handle, names.RETURN_INSPECTED)
    await handle.result()


async def expired(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:  # every life has it
    """Nothing comes."""
    await handle.result()


async def reviewed(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """Authorized by support, and called off."""
    await quiet(handle, 5)
    fake.state = "authorized"
    await wake(handle, names.RETURN_DECIDED)
    await quiet(handle, 12)
    fake.is_closing = True
    await wake(handle, names.RETURN_CANCELLED)
    await handle.result()


async def denied(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """Denied by support."""
    await quiet(handle, 5)
    fake.state = "denied"
    await wake(handle, names.RETURN_DECIDED)
    await handle.result()


async def halted(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """The warehouse values its stock in another currency."""
    await quiet(handle, 7)
    fake.inspections, fake.refused = ["insp_1"], "stock"
    await wake(handle, names.RETURN_INSPECTED)
    try:
        await handle.result()
    except WorkflowFailureError:
        return
    raise RuntimeError("the life was to halt")


async def service_away(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """A service is away for longer than a quick try waits."""
    await quiet(handle, 7)
    fake.inspections, fake.awaits_more, fake.away = ["insp_1"], False, 3
    await wake(handle, names.RETURN_INSPECTED)
    await handle.result()


async def netted(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """Another SKU replaces all that comes."""
    await quiet(handle, 7)
    fake.inspections, fake.awaits_more = ["insp_1"], False
    await wake(handle, names.RETURN_INSPECTED)
    await handle.result()


async def netted_in_part(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """Another SKU replaces what comes in two parcels; what is netted is netted while more is awaited."""
    await quiet(handle, 7)
    fake.inspections = ["insp_1"]
    await wake(handle, names.RETURN_INSPECTED)
    await quiet(handle, 17)
    fake.inspections, fake.awaits_more = ["insp_2"], False
    await wake(handle, names.RETURN_INSPECTED)
    await handle.result()


async def called_off(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """Called off while the goods are awaited."""
    await quiet(handle, 7)
    fake.is_closing = True
    await wake(handle, names.RETURN_CANCELLED)
    await handle.result()


async def money_away(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """Billing is away while a credit is to pay, and while what never came is to be charged."""
    fake.away_at = Counter(net=3, settle=3)
    await netted(handle, fake)


async def settling_refused(handle: WorkflowHandle[Any, Any], fake: FakeReturn) -> None:
    """What never came cannot be charged."""
    fake.refused = "settle"
    try:
        await handle.result()
    except WorkflowFailureError:
        return
    raise RuntimeError("the life was to halt")


def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=2)


LIVES: dict[str, tuple[Callable[[], FakeReturn], Life]] = {
    "credited": (FakeReturn, credited),
    "expired": (lambda: FakeReturn(deadline=_soon()), expired),
    "reviewed": (lambda: FakeReturn(state="requested"), reviewed),
    "denied": (lambda: FakeReturn(state="requested"), denied),
    "halted": (FakeReturn, halted),
    "netted": (lambda: FakeReturn(is_netted=True), netted),
    "netted_in_part": (lambda: FakeReturn(is_netted=True), netted_in_part),
    "advance_expired": (lambda: FakeReturn(is_advance=True, deadline=_soon()), expired),
    "advance_returned": (lambda: FakeReturn(is_advance=True), credited),
    "advance_netted": (lambda: FakeReturn(is_advance=True, is_netted=True), netted),
    "advance_called_off": (lambda: FakeReturn(is_advance=True), called_off),
    "advance_refused": (lambda: FakeReturn(is_advance=True, deadline=_soon()), settling_refused),
    "money_away": (lambda: FakeReturn(is_advance=True, is_netted=True), money_away),
    "service_away": (FakeReturn, service_away),
}


async def record(client: Client, name: str) -> None:
    """Live one life and store its history."""
    made, life = LIVES[name]
    queue, fake = uuid.uuid4().hex, made()
    async with return_worker(client, fake, queue):
        handle = await start(client, queue)
        await life(handle, fake)
        history = await handle.fetch_history()
    await asyncio.to_thread((RETURNS / f"{name}.json").write_text, without_the_machine(history.to_json()) + "\n")


async def main() -> None:
    """Record every life, or those that are named."""
    async with temporal_environment(skips_time=False) as environment:
        for name in sys.argv[1:] or LIVES:
            await record(environment.client, name)


if __name__ == "__main__":
    asyncio.run(main())
