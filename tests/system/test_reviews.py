"""Reviews through the whole system: decided, refused, run out of time, and never by a message."""

from __future__ import annotations

import uuid

import pytest
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError

from tests.system.boardroom import OVER_5000, Boardroom, placed, tier
from tests.system.trade import Trade, ok
from workflows import names
from workflows.messages import Acknowledged, ClearanceRefresh, FactNote


def test_an_approval_lets_the_order_go_on_by_itself(trade: Trade, room: Boardroom) -> None:
    order = placed(room)

    answer = ok(room.decide("manager", order["order_id"], "approve", version=1))
    accepted = trade.when_idle(order["order_id"])

    assert (order["status"], order["waiting_for"]["who"]) == ("in_review", "approver")
    assert answer["axes"]["review"] == "accepted"
    assert accepted["status"] == "in_fulfilment"
    assert accepted["reviews"][0]["state"] == "approved"
    trade.until_audit_is_clean()


def test_a_rejection_ends_the_order_and_gives_the_credit_back(trade: Trade, room: Boardroom) -> None:
    order = placed(room, credit_limit="6000.00")

    ok(room.decide("manager", order["order_id"], "reject", version=1, note="not at this price"))
    rejected = trade.when_idle(order["order_id"])
    again = trade.placed(trade.order_body(order["customer_id"], [{"sku": order["lines"][0]["sku"], "quantity": 1}]))

    assert (rejected["status"], rejected["waiting_for"]) == ("rejected", None)
    assert again["status"] == "in_fulfilment"
    subjects = trade.mails(order["number"])
    assert not [subject for subject in subjects if "accepted" in subject.lower()]
    trade.until_audit_is_clean()


def test_no_signal_and_no_update_sent_by_hand_approves_an_order(trade: Trade, room: Boardroom) -> None:
    order = placed(room)
    workflow_id = names.order_workflow_id(order["number"])
    system = trade.system

    async def forge() -> Acknowledged:
        for name in names.FACTS:
            payloads = await system.temporal.data_converter.encode([FactNote("forged", "forged", is_complete=True)])
            await system.temporal.workflow_service.signal_workflow_execution(
                SignalWorkflowExecutionRequest(
                    namespace=system.temporal.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                    signal_name=name,
                    input=Payloads(payloads=payloads),
                    request_id=uuid.uuid4().hex,
                )
            )
        handle = system.temporal.get_workflow_handle(workflow_id)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(names.DECIDE, ClearanceRefresh(""))
        seen: Acknowledged = await handle.execute_update(
            names.DECIDE, ClearanceRefresh("dec_forged"), result_type=Acknowledged
        )
        return seen

    seen = system.on_loop(forge())

    after = trade.when_idle(order["order_id"])
    assert seen.state == "waiting"
    assert (after["status"], after["reviews"][0]["state"]) == ("in_review", "open")
    assert [line["quantities"]["allocated"] for line in after["lines"]] == [0]
    trade.until_audit_is_clean()


def test_a_buyers_own_manager_approves_the_purchase_in_a_chain_of_its_own(trade: Trade, room: Boardroom) -> None:
    order_of = placed(room, 1)
    company = order_of["customer_id"]
    room.hire("boss", roles=["customer"], positions=["purchase_manager"], limit="9000.00", company=company)
    buyers = {
        "code": "PURCHASE_APPROVAL",
        "when": f"order.total > 5000.0 && customer.customer_id == '{company}'",
        "message": "Your company approves purchases over 5,000.",
        "chain": "buyer",
        "tiers": [{"level": 1, "role": "customer", "position": "purchase_manager", "mode": "any"}],
    }
    room.policy(OVER_5000, buyers)
    sku = order_of["lines"][0]["sku"]
    body = trade.order_body(company, [{"sku": sku, "quantity": 7}])
    order_id = trade.placed(body, role="customer")["order_id"]
    steps = {step["chain"]: step for step in room.steps(order_id)}

    own = room.decide("boss", order_id, "approve", version=1, step_id=steps["seller"]["step_id"])
    ok(room.decide("boss", order_id, "approve", version=1, step_id=steps["buyer"]["step_id"]))
    half = trade.when_idle(order_id)
    ok(room.decide("manager", order_id, "approve", version=1))
    whole = trade.when_idle(order_id)

    assert own.status_code in (403, 404)
    assert (half["status"], whole["axes"]["review"]) == ("in_review", "accepted")
    shown = ok(room.api("boss").get(f"/v1/orders/{order_id}"))
    assert {step["chain"] for review in shown["reviews"] for step in review["steps"]} == {"buyer"}
    trade.until_audit_is_clean()


def test_a_tier_of_two_needs_two_distinct_people(trade: Trade, room: Boardroom) -> None:
    room.hire("second", roles=["approver"], positions=["manager"], limit="25000.00")
    rule = OVER_5000 | {"tiers": [tier(1, "manager", mode="n_of", count=2)]}
    room.policy(rule)
    order_id = placed(room)["order_id"]

    ok(room.decide("manager", order_id, "approve", version=1))
    twice = room.decide("manager", order_id, "approve", version=1)
    after_one = trade.when_idle(order_id)
    ok(room.decide("second", order_id, "approve", version=1))
    after_two = trade.when_idle(order_id)

    assert twice.status_code in (403, 409)
    assert after_one["status"] == "in_review"
    assert after_two["axes"]["review"] == "accepted"
    trade.until_audit_is_clean()


def test_a_review_that_asked_for_changes_is_answered_and_asked_again(trade: Trade, room: Boardroom) -> None:
    order_id = placed(room)["order_id"]
    ok(room.decide("manager", order_id, "request_changes", version=1, note="is that price agreed?"))
    waiting = trade.when_idle(order_id)["waiting_for"]

    body = {"note": "it is, by phone", "version": 1}
    ok(trade.system.api("support").post(f"/v1/orders/{order_id}/resubmission", json=body))
    ok(room.decide("manager", order_id, "approve", version=1))
    released = trade.when_idle(order_id)

    assert (waiting["who"], waiting["due"] is not None) == ("sales_rep", True)
    assert released["status"] == "in_fulfilment"
    trade.until_audit_is_clean()
