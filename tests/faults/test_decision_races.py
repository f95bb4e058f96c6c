"""Approve, reject, cancel and run out of time, all at once: each order comes to one end, and everybody is told the same."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import TimeSkipper

from oms.orders.v1 import orders_pb2 as pb
from oms.orders.v1 import orders_pb2_grpc as rpc
from services.orders.settings import Settings
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from tests.faults.loss import whole_system
from tests.faults.verdicts import APPROVED, CANCELLED, EXPIRED, REJECTED, Ended, contradictions
from tests.system.boardroom import Boardroom, tier
from tests.system.harness import System
from tests.system.trade import Trade, key, ok, wait_for
from tests.threads import Crew, at_once

REVIEW = {
    "code": "EVERY_ORDER",
    "when": "order.total > 0.0",
    "message": "Somebody looks at every order.",
    "tiers": [tier(1, "manager")],
}
AN_HOUR = {
    "remind_after_hours": 0,
    "escalate_after_hours": 0,
    "expire_after_hours": 1,
    "on_expiry": "reject",
    "calendar": "always",
}
PRICE_MINOR = 1000
REFRESHES, A_REFRESH_IS = 3, 10
RACE_S = 120


@dataclass(frozen=True, slots=True)
class Parked:
    """An order in review, the step that is open, and the deadline as its workflow knows it."""

    order_id: str
    step_id: str
    deadline: pb.Clearance


class Tribunal:
    """Four who do not wait for each other: two approvers, support, and the clock."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.trade = Trade(system)
        self.room = Boardroom(self.trade)
        for who in ("ann", "ben"):
            self.room.hire(who, roles=["approver"], positions=["manager"], limit="1000000.00")
        self.room.policy(REVIEW, deadlines=AN_HOUR, window_hours=0)
        self.customer_id = self.trade.customer(credit_limit="9000000.00")
        self.sku = self.trade.product("r", "10.00", cost="1.00")
        self.warehouse_id = self.trade.warehouses({"w1": 900})["w1"]
        token = machine_token(Settings(**system._common("worker")), "worker")
        self.orders = rpc.OrdersServiceStub(connect(f"127.0.0.1:{system.ports['orders']}", token))

    def park(self, orders: int) -> list[Parked]:
        """So many orders that wait for a manager, and stock for all of them."""
        self.trade.receive(self.warehouse_id, self.sku, orders, "1.00")
        with Crew(6, stage_s(orders)) as crew:
            return crew.map(lambda _: self._park(), range(orders))

    def _park(self) -> Parked:
        body = self.trade.order_body(self.customer_id, [{"sku": self.sku, "quantity": 1}])
        order_id = ok(self.trade.place(body))["order_id"]
        self.trade.until(order_id, lambda order: order["status"] == "in_review", "the review")
        deadline = self.orders.GetClearance(pb.GetClearanceRequest(order_id=order_id)).clearance
        return Parked(order_id, self.room.open_step(order_id)["step_id"], deadline)

    def race(self, parked: Parked, turn: int) -> frozenset[str]:
        """All four at the same moment; the actions that were answered as done.

        One who looks at the order before acts later: who does so changes from turn to turn, or the shortest way would always win.
        """
        actions: dict[str, Callable[[Parked], bool]] = {
            EXPIRED: self._expire,
            CANCELLED: self._cancel,
            APPROVED: lambda order: self._decide("ann", "approve", order),
            REJECTED: lambda order: self._decide("ben", "reject", order),
        }
        refreshes = {action: turn // REFRESHES**place % REFRESHES for place, action in enumerate(actions)}

        def act(action: str) -> bool:
            for _ in range(refreshes[action] * A_REFRESH_IS):
                self.orders.GetClearance(pb.GetClearanceRequest(order_id=parked.order_id))
            return actions[action](parked)

        done = dict(zip(actions, at_once((partial(act, action) for action in actions), RACE_S), strict=True))
        return frozenset(action for action, is_done in done.items() if is_done)

    def _decide(self, who: str, decision: str, parked: Parked) -> bool:
        answer = self.room.decide(who, parked.order_id, decision, version=1, step_id=parked.step_id)
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 200

    def _cancel(self, parked: Parked) -> bool:
        """Support's cancellation; one whose outcome was to follow is looked up when it has come."""
        support, path = self.system.api("support"), f"/v1/orders/{parked.order_id}/cancellation"
        answer = support.post(path, json={"reason": "they called"}, headers=key())
        assert answer.status_code in (200, 202, 409), answer.text
        if answer.status_code == 202:
            settled = {"order_cancelled", "cancellation_declined"}
            return "order_cancelled" in wait_for(lambda: settled & set(self._log(parked)) or None, "the cancellation")
        return answer.status_code == 200

    def _expire(self, parked: Parked) -> bool:
        """What the worker asks when the hour is over."""
        due = parked.deadline
        request = pb.PassDeadlineRequest(
            request_id=f"race/{parked.order_id}",
            order_id=parked.order_id,
            deadline=due.deadline,
            subject_id=due.subject_id,
            deadline_micros=due.deadline_micros,
        )
        return self.orders.PassDeadline(request).clearance.state == pb.CLEARANCE_STATE_EXPIRED

    def settle(self, parked: Parked, done: frozenset[str]) -> None:
        """Wait until the order has come to an end, or is with its warehouse."""
        if EXPIRED in done and not self.is_closed(parked):
            self._let_the_hour_pass(parked)
        order = self.trade.until(
            parked.order_id, lambda seen: seen["status"] not in ("in_review", "accepted"), "an end"
        )
        if order["status"] == "in_fulfilment":
            self.trade.until_released(parked.order_id)

    def ended(self, parked: Parked, done: frozenset[str]) -> Ended:
        """The order at rest: in its own words, in the log's, and in its mails'."""
        order = self.trade.order(parked.order_id)
        kept = [one["decision"] for review in order["reviews"] for step in review["steps"] for one in step["decisions"]]
        return Ended(
            done,
            order["status"],
            tuple(sorted({"approve": APPROVED, "reject": REJECTED}[decision] for decision in kept)),
            self._log(parked),
            self._mails(parked),
        )

    def _log(self, parked: Parked) -> tuple[str, ...]:
        rows = ok(self.system.api("auditor").get(f"/v1/orders/{parked.order_id}/history"))["rows"]
        return tuple(row["what"] for row in rows)

    def _let_the_hour_pass(self, parked: Parked) -> None:
        """The order's own timer fires as well, and finds the action done."""
        handle = self.system.workflow(parked.order_id)
        self.system.on_loop(TimeSkipper(self.system.temporal).fast_forward(handle, timedelta(hours=1, minutes=1)))

    def _mails(self, parked: Parked) -> tuple[str, ...]:
        """What the buyer was sent."""
        query = {"order_id": parked.order_id, "limit": "100"}
        rows = ok(self.system.api("admin").get("/v1/deliveries", params=query))["rows"]
        assert {row["state"] for row in rows} == {"sent"}, rows
        return tuple(row["kind"] for row in rows if row["role"] == "customer")

    def is_closed(self, parked: Parked) -> bool:
        """Whether the order's workflow has come to its end, and to a good one."""
        handle = self.system.workflow(parked.order_id)
        status = self.system.on_loop(handle.describe()).status
        assert status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED), (parked, status)
        return status == WorkflowExecutionStatus.COMPLETED


def stage_s(orders: int) -> float:
    """How long each stage of a race for so many orders may take."""
    return 90 + orders / 2


def contradicted(system: System, orders: int) -> dict[str, tuple[list[str], Ended]]:
    """Race for so many orders, two at a time, then hold everything that was kept and sent against the answers: what does not fit, by order.

    That workflows, stock, credit and the audit fit the outcomes is asserted here.
    """
    court = Tribunal(system)
    parked = court.park(orders)

    with Crew(2, stage_s(orders)) as crew:
        done = crew.map(court.race, parked, range(orders))
    with Crew(6, stage_s(orders)) as crew:
        crew.map(court.settle, parked, done)
    court.trade.until_idle(*(order.order_id for order in parked), within_s=stage_s(orders))
    with Crew(6, stage_s(orders)) as crew:
        outcomes = crew.map(court.ended, parked, done)

    print(dict(Counter(one.outcome for one in outcomes)))
    wrong = {
        order.order_id: (found, one)
        for order, one in zip(parked, outcomes, strict=True)
        if (found := contradictions(one))
    }
    accepted = [one.status == "in_fulfilment" for one in outcomes]
    wait_for(lambda: [court.is_closed(order) for order in parked] == [not one for one in accepted] or None, "workflows")
    assert court.trade.stock(court.sku) == {court.warehouse_id: (orders, sum(accepted))}
    assert committed(court) == sum(accepted) * PRICE_MINOR
    court.trade.until_audit_is_clean()
    return wrong


def committed(court: Tribunal) -> int:
    """Cents of the customer's credit that orders hold."""
    credit = ok(court.system.api("admin").get(f"/v1/customers/{court.customer_id}"))["credit"]
    return round(float(credit["committed"]["amount"]) * 100)


def test_approve_reject_cancel_and_expiry_at_once_give_one_outcome(system: System) -> None:
    assert contradicted(system, 8) == {}


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_500_orders_decided_by_four_at_once_have_500_single_outcomes(tmp_path: Path) -> None:
    with whole_system(tmp_path, "sqlite") as system:
        assert contradicted(system, 500) == {}


def test_naive_deciders_who_read_before_they_write_are_caught(tmp_path: Path) -> None:
    """The twin: each looks whether the order still waits, and only then writes what it decided."""
    engine = create_engine(f"sqlite:///{tmp_path / 'naive.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE naive (status TEXT)"))
        connection.execute(text("INSERT INTO naive VALUES ('in_review')"))
    all_have_read = threading.Barrier(3, timeout=10)

    def decide(action: str) -> str:
        with engine.connect() as connection:
            waits = connection.execute(text("SELECT status FROM naive")).scalar_one() == "in_review"
        all_have_read.wait()
        with engine.begin() as connection:
            connection.execute(text("UPDATE naive SET status = :action"), {"action": action})
        return action if waits else ""

    done = frozenset(at_once(partial(decide, action) for action in (APPROVED, REJECTED, EXPIRED))) - {""}
    with engine.connect() as connection:
        status = connection.execute(text("SELECT status FROM naive")).scalar_one()
    engine.dispose()

    found = contradictions(Ended(done, status, tuple(sorted(done - {EXPIRED})), (), ()))
    assert found[0] == "answered as done: approved, expired, rejected"
