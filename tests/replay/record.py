"""Records a history of every life: `python -m tests.replay.record`, or of those that it is given by name.

After a release, a change that breaks a stored history would break orders that are under way: put it behind `workflow.patched`, and
keep what is stored under names of its own before recording.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory

from tests.replay.cancellations import CANCELLATIONS, EARLIER, Unheard, until_calm
from tests.temporal import temporal_environment
from tests.workflows.driver import PlacedOrder, fake_worker, order_ref, payment_worker, place, until_quiet
from tests.workflows.fakes import FakeServices
from tests.workflows.queued import earlier_worker
from tests.workflows.queued import ended as run_ended
from workflows import names
from workflows.messages import Clearance, Completeness, ReleaseCleared, Standing, Validation

HISTORIES = Path(__file__).parent / "histories"

Life = Callable[[PlacedOrder], Awaitable[None]]


async def to_cash(order: PlacedOrder) -> None:
    """Shipped, delivered, paid."""
    await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
    await until_quiet(order, 17)
    await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
    await order.notify(names.PAYMENT_SETTLED)
    await order.handle.result()


async def captured_to_cash(order: PlacedOrder) -> None:
    """By card: shipped, captured, delivered, paid."""
    await order.notify(names.SHIPMENT_SHIPPED, "shp_1")
    await until_quiet(order, 23)
    await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
    await order.notify(names.PAYMENT_SETTLED)
    await order.handle.result()


async def paid_before_delivered(order: PlacedOrder) -> None:
    """Facts out of the usual order, all in one turn."""
    for kind in (names.SHIPMENT_SHIPPED, names.PAYMENT_SETTLED, names.SHIPMENT_DELIVERED):
        await order.notify(kind, "shp_1")
    await order.handle.result()


async def released_then_to_cash(order: PlacedOrder) -> None:
    """Held, released by people, then to cash."""
    await order.notify(names.HOLDS_RELEASED)
    await until_quiet(order, 17)
    await to_cash(order)


async def backorder_then_to_cash(order: PlacedOrder) -> None:
    """Stock comes later."""
    await order.notify(names.STOCK_ALLOCATED, is_complete=True)
    await until_quiet(order, 16)
    await to_cash(order)


async def held_again_then_to_cash(order: PlacedOrder) -> None:
    """Stock comes later, the rules hold the order, people release it."""
    await order.notify(names.STOCK_ALLOCATED, is_complete=True)
    await until_quiet(order, 17)
    await order.notify(names.HOLDS_RELEASED)
    await until_quiet(order, 24)
    await to_cash(order)


async def held_again_in_truth(order: PlacedOrder) -> None:
    """Likewise; what is held back is recorded only when it is released."""
    await order.notify(names.STOCK_ALLOCATED, is_complete=True)
    await until_quiet(order, 16)
    await order.notify(names.HOLDS_RELEASED)
    await until_quiet(order, 24)
    await to_cash(order)


async def withheld_then_to_cash(order: PlacedOrder) -> None:
    """Stock comes later, a pending change holds back a line until its time is over."""
    await order.notify(names.STOCK_ALLOCATED, is_complete=True)
    await until_quiet(order, 25)
    await to_cash(order)


async def approved_after_a_reminder(order: PlacedOrder) -> None:
    """A manager is reminded, then approves; the finance director approves the second tier."""
    await until_quiet(order, 15)
    await order.refresh(names.DECIDE, "dec_1", "Max Manager", "approved: manager approval (tier 1)")
    await order.refresh(
        names.DECIDE, "dec_2", "Fay Finance for Dan Director", "approved: finance director approval (tier 2)"
    )
    await until_quiet(order, 20)
    await to_cash(order)


async def cancelled(order: PlacedOrder) -> None:
    """Cancelled before anything left."""
    await order.cancel()
    await order.handle.result()


async def ended(order: PlacedOrder) -> None:
    """Nothing more happens."""
    await order.handle.result()


async def recall_answered(order: PlacedOrder) -> None:
    """The warehouse answers a recall while nothing is to change any more: what was withheld is released."""
    await order.notify(names.RECALL_ANSWERED, "chg_1")
    await until_quiet(order, 16)
    await to_cash(order)


async def still_open(order: PlacedOrder) -> None:
    """Waits for the warehouse."""
    await until_quiet(order, 11)


def away_once() -> FakeServices:
    """Inventory is away long enough that the step becomes an ordinary activity."""
    services = FakeServices()
    services.absences["inventory.ReserveStock"] = 3
    return services


def reminded_soon() -> FakeServices:
    """Held for a manager and a director; the manager is reminded in a second."""
    due = int((time.time() + 1) * 1_000_000)
    held = Clearance("waiting", "", due, "remind", "step_1", "approver: manager approval", "manager approval")
    return FakeServices(
        validation=Validation("held", ["THRESHOLD"], held),
        clearances=[Clearance("waiting"), Clearance("waiting"), Clearance("cleared")],
    )


def held_again() -> FakeServices:
    """The rules hold what has come later, once."""
    held = Clearance("waiting", waiting_for="support: release of facts changed hold")
    return FakeServices(
        backordered=5,
        clearances=[Clearance("cleared")],
        cleared_releases=[ReleaseCleared(is_clear=False, clearance=held)],
    )


def withheld_for_a_second() -> FakeServices:
    """A change holds back a line of what has come later, for a second."""
    due = int((time.time() + 3) * 1_000_000)
    withheld = Clearance("cleared", "", due, "resume_release", "chg_1", "", "change that is pending", "chg_1")
    return FakeServices(
        backordered=5,
        clearances=[Clearance("cleared")],
        cleared_releases=[ReleaseCleared(is_clear=True, clearance=withheld)],
    )


def not_true_yet() -> FakeServices:
    """What the workflow is told first is not true."""
    return FakeServices(completeness=Completeness(is_delivered=False, is_settled=False, left=["shp_2"]))


async def misled(order: PlacedOrder) -> None:
    """Delivered and paid by hand; a shipment is found that nobody told of, and the order goes on waiting."""
    for kind in (names.SHIPMENT_DELIVERED, names.PAYMENT_SETTLED):
        await order.notify(kind, "shp_1")
    await until_quiet(order, 18)


def under_way() -> FakeServices:
    """An accepted order, of which one shipment has left without an invoice."""
    standing = Standing(
        "accepted",
        Clearance("cleared"),
        Completeness(is_delivered=False, is_settled=False, left=["shp_1"]),
        is_accepted=True,
        has_credit=True,
        is_reserved=True,
    )
    return FakeServices(standing=standing)


def cleared_only() -> FakeServices:
    """An order that people cleared and that was not yet accepted; of its goods one shipment has left."""
    services = under_way()
    services.standing = replace(services.standing, is_accepted=False, is_reserved=False)
    return services


def without_news() -> FakeServices:
    """An accepted order of which nothing more is to be released; one shipment has left without an invoice."""
    services = under_way()
    services.released = 0
    return services


def to_be_cancelled() -> FakeServices:
    """An accepted order that somebody has asked to cancel."""
    waits = Clearance("cleared", cancellation_id="can_1")
    standing = Standing("accepted", waits, Completeness(is_delivered=False, is_settled=False), is_accepted=True)
    return FakeServices(standing=standing)


async def resumed_to_cash(order: PlacedOrder) -> None:
    """What had left is invoiced, then delivered and paid."""
    await until_quiet(order, 13)
    await order.notify(names.SHIPMENT_DELIVERED, "shp_1")
    await order.notify(names.PAYMENT_SETTLED)
    await order.handle.result()


def validated(outcome: str, reason: str, clearance: Clearance | None = None, **more: Any) -> Callable[[], FakeServices]:
    """Services whose rules say so."""
    return lambda: FakeServices(validation=Validation(outcome, [reason], clearance), **more)


_TRUSTING: dict[str, Any] = {"reads_truth": False}
"""Orders of a release whose workflow believed what it was told; their histories are kept as that release recorded them."""
_RESUMED: dict[str, Any] = {"resumption": 1}
"""Runs that go on for a lost one; those named `earlier_…` are kept as the release before recorded them, which asked and told less."""
_CLEARED: dict[str, Any] = {"clears_releases": True}
"""Orders that were placed since releases are cleared."""

LIVES: dict[str, tuple[Callable[[], FakeServices], dict[str, Any], Life | Unheard]] = {
    "to_cash": (FakeServices, _TRUSTING, to_cash),
    "paid_before_delivered": (FakeServices, _TRUSTING, paid_before_delivered),
    "approved": (reminded_soon, _TRUSTING, approved_after_a_reminder),
    "held_and_released": (
        validated("held", "CREDIT", Clearance("waiting"), is_granted=False),
        _TRUSTING,
        released_then_to_cash,
    ),
    "held_and_cancelled": (validated("held", "THRESHOLD", Clearance("waiting")), _TRUSTING, cancelled),
    "undeliverable_then_released": (
        lambda: FakeServices(undeliverable=1, clearances=[Clearance("waiting"), Clearance("cleared")]),
        _TRUSTING,
        released_then_to_cash,
    ),
    "rejected": (validated("rejected", "UNKNOWN_SKU"), _TRUSTING, ended),
    "backordered": (lambda: FakeServices(backordered=5), _TRUSTING, backorder_then_to_cash),
    "ship_complete": (
        lambda: FakeServices(backordered=5),
        _TRUSTING | {"is_ship_complete": True},
        backorder_then_to_cash,
    ),
    "cancelled": (FakeServices, _TRUSTING, cancelled),
    "service_away": (away_once, _TRUSTING, to_cash),
    "still_open": (FakeServices, _TRUSTING, still_open),
    "held_again": (held_again, _TRUSTING | _CLEARED, held_again_then_to_cash),
    "withheld": (withheld_for_a_second, _TRUSTING | _CLEARED, withheld_then_to_cash),
    "truth_held_again": (held_again, _CLEARED, held_again_in_truth),
    "truth_withheld": (withheld_for_a_second, _CLEARED, withheld_then_to_cash),
    "truth_to_cash": (FakeServices, {}, to_cash),
    "card_to_cash": (FakeServices, {"payment_method": "card", "pays_by_card": True}, captured_to_cash),
    "truth_ship_complete": (
        lambda: FakeServices(backordered=5),
        {"is_ship_complete": True},
        backorder_then_to_cash,
    ),
    "truth_held_and_cancelled": (
        validated("held", "THRESHOLD", Clearance("waiting"), status="cancelled"),
        {},
        cancelled,
    ),
    "truth_too_early": (not_true_yet, {}, misled),
    "resumed_to_cash": (under_way, _RESUMED, resumed_to_cash),
    "resumed_and_cleared_to_cash": (under_way, _RESUMED | _CLEARED, resumed_to_cash),
    "resumed_before_acceptance": (cleared_only, _RESUMED | _CLEARED, resumed_to_cash),
    "resumed_without_news": (without_news, _RESUMED | _CLEARED, resumed_to_cash),
    "recall_answered": (FakeServices, _CLEARED, recall_answered),
    "earlier_resumed_before_acceptance": (cleared_only, _RESUMED | _CLEARED, resumed_to_cash),
    "earlier_resumed_without_news": (without_news, _RESUMED | _CLEARED, resumed_to_cash),
    "earlier_recall_answered": (FakeServices, _CLEARED, recall_answered),
    "resumed_and_cancelled": (to_be_cancelled, _RESUMED, ended),
} | CANCELLATIONS


async def lived(client: Client, name: str) -> WorkflowHistory:
    """Live one life; its history."""
    services_of, terms, life = LIVES[name]
    queue, services = uuid.uuid4().hex, services_of()
    worker = earlier_worker if name.startswith(EARLIER) else fake_worker
    async with worker(client, services, queue), payment_worker(client, services):
        order = await place(client, order_ref(**terms), queue)
        if not isinstance(life, Unheard):
            await life(order)
            return await order.history()
        await until_calm(order)
    sent = [await send(order) for send in life.sends]
    async with worker(client, services, queue):
        await run_ended(order)
        await asyncio.gather(*(answer for answer in sent if answer is not None))
        return await order.history()


async def record(client: Client, name: str) -> None:
    """Live one life and store its history."""
    history = await lived(client, name)
    await asyncio.to_thread((HISTORIES / f"{name}.json").write_text, without_the_machine(history.to_json()) + "\n")


def without_the_machine(text: str) -> str:
    """Stack traces and identities name the machine that recorded them; replay needs neither."""
    plain = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', text)
    return re.sub(r'"identity": "[0-9]+@[^"]*"', '"identity": "worker"', plain)


async def main() -> None:
    """Record every life, or those that are named."""
    async with temporal_environment(skips_time=False) as environment:
        for name in sys.argv[1:] or LIVES:
            await record(environment.client, name)


if __name__ == "__main__":
    asyncio.run(main())
