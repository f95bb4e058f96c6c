"""A cancel and something else in one workflow task, in either order: one outcome, and what is undone is undone once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from tests.workflows.driver import PlacedOrder, fake_worker, order_ref, place, until_quiet
from tests.workflows.fakes import FakeServices
from tests.workflows.queued import (
    Send,
    cancelled_by_customer,
    decided,
    earlier_worker,
    ended,
    fact,
    is_one_task,
    stopped_by_hand,
)
from workflows import names
from workflows.messages import CancelOutcome, Clearance, Validation

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHIPPED, DELIVERED, SETTLED = names.SHIPMENT_SHIPPED, names.SHIPMENT_DELIVERED, names.PAYMENT_SETTLED
UNDONE = ("fulfillment.CancelShipments", "inventory.ReleaseReservation", "billing.ReleaseCredit")
INVOICED = ("inventory.ShipStock", "billing.IssueInvoice")


def held() -> FakeServices:
    """People must look at it, and then it is cleared."""
    return FakeServices(validation=Validation("held", ["OVER_5000"], Clearance("waiting")))


def departed() -> FakeServices:
    """Its shipment has left."""
    return FakeServices(shipped=1)


def none_left() -> FakeServices:
    """No shipment has left, whoever says so."""
    return FakeServices(left=frozenset())


@dataclass(frozen=True, slots=True)
class Case:
    """Which cancel meets what; what was recorded, how the run ended (None: interrupted), and how often each of CALLED was called.

    `is_cancelled` is the answer to the business cancel; `before` and `after` are facts that come alone.
    """

    cancel: Send
    send: Send
    milestones: tuple[str, ...]
    outcome: str | None
    called: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    services: Callable[[], FakeServices] = FakeServices
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    is_cancelled: bool | None = None


CALLED = (*UNDONE, *INVOICED)
CASES = {
    "stop, shipped": Case(stopped_by_hand, fact(SHIPPED), ("accepted", "interrupted"), None, (0, 0, 0, 1, 1)),
    "stop, paid": Case(
        stopped_by_hand,
        fact(SETTLED),
        ("accepted", "closed"),
        "completed",
        (0, 0, 0, 1, 1),
        before=(SHIPPED, DELIVERED),
    ),
    # shipments are stopped once to ask and once to take back
    "stop, cancelled": Case(
        stopped_by_hand,
        cancelled_by_customer,
        ("accepted", "cancelled"),
        "cancelled",
        (2, 1, 1, 0, 0),
        is_cancelled=True,
    ),
    "stop, cancelled while held": Case(
        stopped_by_hand, cancelled_by_customer, ("cancelled",), "cancelled", (0, 0, 1, 0, 0), held, is_cancelled=True
    ),
    "stop, decided": Case(stopped_by_hand, decided, ("accepted", "interrupted"), None, services=held),
    "cancelled, shipped": Case(
        cancelled_by_customer,
        fact(SHIPPED),
        ("accepted", "cancel_refused", "closed"),
        "completed",
        (1, 0, 0, 1, 1),
        departed,
        after=(DELIVERED, SETTLED),
        is_cancelled=False,
    ),
    "cancelled, untruly shipped": Case(
        cancelled_by_customer,
        fact(SHIPPED),
        ("accepted", "cancelled"),
        "cancelled",
        (2, 1, 1, 1, 0),
        none_left,
        is_cancelled=True,
    ),
    "cancelled, paid": Case(
        cancelled_by_customer, fact(SETTLED), ("accepted", "cancelled"), "cancelled", (2, 1, 1, 0, 0), is_cancelled=True
    ),
}


async def sent_both(order: PlacedOrder, first: Send, second: Send) -> list[Any]:
    """The answers to come of what is handed over while no worker is there."""
    return [answer for answer in (await first(order), await second(order)) if answer is not None]


async def prepared(client: Client, services: FakeServices, queue: str, before: tuple[str, ...]) -> PlacedOrder:
    """A placed order that heard of so much; its worker is gone."""
    async with fake_worker(client, services, queue):
        order = await place(client, order_ref(), queue)
        for kind in before:
            await order.notify(kind, "shp_1")
        await until_quiet(order, 12 if before else 8)
    return order


@pytest.mark.parametrize("is_cancel_first", [True, False], ids=["cancel first", "cancel last"])
@pytest.mark.parametrize("name", CASES)
async def test_a_cancel_and_what_comes_in_the_same_task_have_one_outcome(
    temporal: Client, name: str, is_cancel_first: bool
) -> None:
    case, queue = CASES[name], uuid.uuid4().hex
    services = case.services()
    order = await prepared(temporal, services, queue, case.before)

    answers = await sent_both(order, *((case.cancel, case.send) if is_cancel_first else (case.send, case.cancel)))
    async with fake_worker(temporal, services, queue):
        answered = [await answer for answer in answers]
        met = await order.history()
        for kind in case.after:
            await order.notify(kind, "shp_1")
        outcome = await ended(order)

    assert is_one_task(met if case.after else await order.history())
    assert outcome == case.outcome
    assert services.milestones() == [*case.milestones]
    assert [services.calls.count(called) for called in CALLED] == [*case.called]
    cancelled = [answer.is_cancelled for answer in answered if isinstance(answer, CancelOutcome)]
    assert cancelled == ([] if case.is_cancelled is None else [case.is_cancelled])


@pytest.mark.parametrize(
    ("first", "second", "milestones"),
    [
        (decided, cancelled_by_customer, ["accepted", "cancelled"]),
        (cancelled_by_customer, decided, ["cancelled"]),
    ],
    ids=["decided first", "cancelled first"],
)
async def test_a_cancel_and_a_decision_that_comes_with_it_end_the_order_once(
    temporal: Client, first: Send, second: Send, milestones: list[str]
) -> None:
    services, queue = held(), uuid.uuid4().hex
    order = await prepared(temporal, services, queue, ())

    answers = await sent_both(order, first, second)
    async with fake_worker(temporal, services, queue):
        answered = [await answer for answer in answers]
        outcome = await ended(order)

    assert is_one_task(await order.history())
    assert outcome == "cancelled"
    assert services.milestones() == milestones
    assert services.calls.count("billing.ReleaseCredit") == 1
    assert services.calls.count("inventory.ReleaseReservation") == services.calls.count("inventory.ReserveStock")
    assert CancelOutcome(is_cancelled=True) in answered


async def test_a_run_that_is_broken_off_wherever_it_is_undoes_and_does_not_record_it(temporal: Client) -> None:
    """The naive twin, as runs were before: the race is real, and a run that began so goes on so."""
    services, queue = FakeServices(), uuid.uuid4().hex
    order = await prepared(temporal, services, queue, ())

    [answer] = await sent_both(order, cancelled_by_customer, stopped_by_hand)
    async with earlier_worker(temporal, services, queue):
        outcome = await ended(order)
        with pytest.raises(WorkflowUpdateFailedError):
            await answer

    assert outcome is None
    assert services.milestones() == ["accepted", "interrupted"]
