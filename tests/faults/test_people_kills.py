"""kill -9 while people decide: a reviewed and changed order comes to the same as if nothing had happened, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.journey import Shop
from tests.faults.people import ReviewedJourney, hire
from tests.faults.running import RunningSystem
from tests.faults.test_kills import changed, mixed

STEPS = (
    "orders.PassDeadline",
    "billing.AdjustCredit",
    "orders.ApplyChange",
    "fulfillment.RequestRecall",
    "orders.RecordChange",
    "fulfillment.AnswerRecall",
    "inventory.AdjustReservation",
)
"""RPCs of the way past people: the process dies with the change not yet committed, and with the reply not yet sent."""

POINTS = (
    *(f"{rpc}.{moment}" for rpc in STEPS for moment in ("before_commit", "before_reply")),
    "orders.GetClearance.before_reply",
    "orders.RecordOrder/changed.before_reply",
    "orders.POST changes.after_commit",
    "orders.POST consent.before_commit",
    "orders.POST consent.after_commit",
    "orders.POST decisions.before_commit",
    "orders.POST decisions.after_commit",
    "orders.POST decisions.before_reply",
    "worker.orders.GetClearance.after",
    "worker.orders.PassDeadline.before",
    "worker.orders.PassDeadline.after",
    "worker.billing.AdjustCredit.after",
    "worker.orders.ApplyChange.after",
    "worker.inventory.AdjustReservation.after",
    "worker.fulfillment.RequestRecall.after",
)
"""`after_commit` of what people do is after the action, before the workflow hears of it."""
SLICE = ("orders.POST decisions.after_commit", "worker.orders.ApplyChange.after")


@pytest.fixture(scope="module")
def reviewing_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A wholesaler whose manager sees every order, in a system of its own."""
    with RunningSystem(tmp_path_factory.mktemp("reviewing")) as running:
        shop = Shop(running)
        hire(shop)
        yield shop


@pytest.fixture
def reviewing(reviewing_shop: Shop) -> Shop:
    """The wholesaler, unless its system was lost."""
    reviewing_shop.running.health.check()
    return reviewing_shop


@pytest.mark.prove
@pytest.mark.slice
def test_a_kill_while_people_decide_changes_nothing(reviewing: Shop) -> None:
    assert changed(reviewing, SLICE, ReviewedJourney) == {}


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_a_kill_at_every_step_past_people_changes_nothing(reviewing: Shop) -> None:
    assert changed(reviewing, mixed(POINTS), ReviewedJourney) == {}
