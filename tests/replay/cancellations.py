"""Lives of orders that are cancelled, whole or in part, at every stage, and whose workflow is stopped: one for each outcome."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from tests.workflows.driver import PlacedOrder, until_quiet
from tests.workflows.fakes import FakeServices
from tests.workflows.queued import Send, cancelled_by_customer, decided, ended, fact, stopped_by_hand
from workflows import names
from workflows.messages import Applied, Clearance, Recall, Validation

CLEARED = Clearance("cleared")
AGREED = Clearance("cleared", "chg_1")
"""Units are to be cancelled."""
SHIPPED, DELIVERED, SETTLED = names.SHIPMENT_SHIPPED, names.SHIPMENT_DELIVERED, names.PAYMENT_SETTLED

TODAY: dict[str, Any] = {"clears_releases": True}


@dataclass(frozen=True, slots=True)
class Unheard:
    """What comes while no worker is there; the next one finds it in one workflow task, and the run ends by it."""

    sends: tuple[Send, ...]


EARLIER = "earlier_stop"
"""How the names of those begin that live as they did when a stop broke runs off wherever they were."""


def open_timers(history: WorkflowHistory) -> int:
    """Timers that have yet to fire."""
    kinds = [event.event_type for event in history.events]
    over = (EventType.EVENT_TYPE_TIMER_FIRED, EventType.EVENT_TYPE_TIMER_CANCELED)
    return kinds.count(EventType.EVENT_TYPE_TIMER_STARTED) - sum(kinds.count(kind) for kind in over)


async def until_calm(order: PlacedOrder) -> None:
    """Until nothing is under way, no timer either: how many tasks what follows costs does not depend on the machine."""
    while open_timers(await until_quiet(order, 0)):
        pass
    await until_quiet(order, 0)


async def close(order: PlacedOrder) -> None:
    """What remains is shipped, delivered and paid, one after the other."""
    await until_calm(order)
    for kind in (SHIPPED, DELIVERED, SETTLED):
        await order.notify(kind, "shp_1")
        if kind != SETTLED:
            await until_calm(order)
    await order.handle.result()


async def cancelled(order: PlacedOrder) -> None:
    """All of it."""
    await until_calm(order)
    await order.cancel()
    await order.handle.result()


async def declined(order: PlacedOrder) -> None:
    """A shipment was quicker, and the order goes on."""
    await until_calm(order)
    await order.cancel()
    await close(order)


async def cancelled_in_part(order: PlacedOrder) -> None:
    """Units of it, which no warehouse has."""
    await until_calm(order)
    await order.refresh(names.AMEND, "chg_1")
    await close(order)


async def recalled(order: PlacedOrder) -> None:
    """Units of it, which warehouses are asked for and answer."""
    await until_calm(order)
    await order.refresh(names.AMEND, "chg_1")
    await until_calm(order)
    await order.notify(names.RECALL_ANSWERED, "rcl_1")
    await close(order)


async def cancelled_in_part_in_review(order: PlacedOrder) -> None:
    """Units of it while people look at it, who then approve the rest."""
    await until_calm(order)
    await order.refresh(names.AMEND, "chg_1")
    await until_calm(order)
    await order.refresh(names.DECIDE, "dec_1")
    await close(order)


async def stopped_while_undone(order: PlacedOrder) -> None:
    """All of it; the workflow is stopped while stock is given back, patiently."""
    await until_calm(order)
    asked = await cancelled_by_customer(order)
    while not any(event.event_type == _PATIENT for event in (await order.history()).events):
        pass
    await order.handle.cancel()
    await ended(order)
    await asyncio.gather(asked, return_exceptions=True)


_PATIENT = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED


def smaller(clearance: Clearance = CLEARED) -> Applied:
    """Version 2, without the units."""
    return Applied(True, 2, 1_980_000, "19,800.00 USD", is_ship_complete=False, clearance=clearance)


def in_part() -> FakeServices:
    """Nothing need come back."""
    return FakeServices(clearances=[AGREED], applied=smaller(), backordered=5)


def given_back() -> FakeServices:
    """The warehouse says yes."""
    return FakeServices(clearances=[AGREED, CLEARED, AGREED], recalls=[Recall("pending")], applied=smaller())


def kept() -> FakeServices:
    """The warehouse keeps all of it."""
    answers = [Recall("pending"), Recall("refused", "the warehouse keeps all that was to be canceled")]
    return FakeServices(clearances=[AGREED, CLEARED, AGREED, CLEARED], recalls=answers)


def held(**more: Any) -> FakeServices:
    """People must look at it."""
    return FakeServices(validation=Validation("held", ["OVER_5000"], Clearance("waiting")), **more)


def held_and_cancelled() -> FakeServices:
    """Likewise, and nobody is quicker than the cancellation."""
    return held(status="cancelled")


def held_and_smaller() -> FakeServices:
    """Likewise; what they approve is version 2."""
    return held(clearances=[Clearance("waiting", "chg_1"), CLEARED], applied=smaller(Clearance("waiting")))


def backordered() -> FakeServices:
    """Nothing of it is there."""
    return FakeServices(backordered=10, released=0)


def stock_away() -> FakeServices:
    """Inventory is away when it is asked to give stock back."""
    return FakeServices(absences=Counter({"inventory.ReleaseReservation": 3}))


def departed() -> FakeServices:
    """A shipment has left, and nobody has told of it."""
    return FakeServices(shipped=1)


CANCELLATIONS: dict[str, tuple[Callable[[], FakeServices], dict[str, Any], Any]] = {
    "cancel_whole": (FakeServices, TODAY, cancelled),
    "cancel_held": (held_and_cancelled, TODAY, cancelled),
    "cancel_backordered": (backordered, TODAY, cancelled),
    "cancel_declined": (departed, TODAY, declined),
    "cancel_part": (in_part, TODAY, cancelled_in_part),
    "cancel_part_in_review": (held_and_smaller, TODAY, cancelled_in_part_in_review),
    "cancel_recall_yes": (given_back, TODAY, recalled),
    "cancel_recall_no": (kept, TODAY, recalled),
    "stop_at_rest": (FakeServices, TODAY, Unheard((stopped_by_hand,))),
    "stop_held": (held, TODAY, Unheard((stopped_by_hand,))),
    "stop_with_cancel": (FakeServices, TODAY, Unheard((stopped_by_hand, cancelled_by_customer))),
    "stop_with_shipment": (FakeServices, TODAY, Unheard((fact(SHIPPED), stopped_by_hand))),
    "stop_with_decision": (held, TODAY, Unheard((decided, stopped_by_hand))),
    "stop_while_undone": (stock_away, TODAY, stopped_while_undone),
    "earlier_stop_at_rest": (FakeServices, TODAY, Unheard((stopped_by_hand,))),
    "earlier_stop_with_shipment": (FakeServices, TODAY, Unheard((fact(SHIPPED), stopped_by_hand))),
    "earlier_stop_while_undone": (stock_away, TODAY, stopped_while_undone),
}
"""Orders that go on without some of their units are `completed_with_cancellations` when they close."""
