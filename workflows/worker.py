"""The worker: registers every workflow and step, and stops gracefully."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows import names
from workflows.activities.billing import BillingActivities
from workflows.activities.calls import Refusals, Services
from workflows.activities.counts import CountActivities
from workflows.activities.documents import Documents
from workflows.activities.exchanges import ExchangeActivities
from workflows.activities.fulfillment import FulfillmentActivities
from workflows.activities.inventory import InventoryActivities
from workflows.activities.lost_returns import LostReturnActivities
from workflows.activities.notifications import NotificationsActivities
from workflows.activities.orders import OrdersActivities
from workflows.activities.returns import ReturnActivities
from workflows.activities.sourcing import SourcingActivities
from workflows.activities.standing import StandingActivities
from workflows.activities.temporal import TemporalActivities
from workflows.order import OrderWorkflow
from workflows.returns import ReturnWorkflow
from workflows.sweeps import SweepWorkflow

WORKFLOWS = (OrderWorkflow, ReturnWorkflow, SweepWorkflow)
GRACE = timedelta(seconds=30)
STICKY = timedelta(seconds=3)
"""How long a turn waits for the worker that had the order before, which may be dead, until any worker takes it."""
RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules("services.kernel", "workflows")
"""Workflow modules are loaded once a process, not once an order, which would cost a sixth of the worker; see DECISIONS.md."""


def steps(client: Client, services: Services) -> list[Callable[..., Any]]:
    """Every step that a workflow may ask for."""
    documents = Documents(services)
    orders, inventory = OrdersActivities(services, documents), InventoryActivities(services, documents)
    fulfillment, billing = FulfillmentActivities(services, documents), BillingActivities(services, documents)
    temporal, notifications = TemporalActivities(client, services), NotificationsActivities(services)
    standing, returns = StandingActivities(services), ReturnActivities(services)
    exchanges, counts = ExchangeActivities(services), CountActivities(services)
    lost = LostReturnActivities(client, services)
    sourcing = SourcingActivities(services, documents, fulfillment)
    return [
        standing.check_completeness,
        standing.get_standing,
        orders.validate_order,
        orders.record_order,
        orders.get_clearance,
        orders.clear_release,
        orders.pass_deadline,
        orders.apply_change,
        orders.record_change,
        orders.check_liveness,
        orders.audit,
        inventory.reserve_stock,
        inventory.adjust_reservation,
        inventory.release_reservation,
        inventory.ship_stock,
        inventory.reverse_issue,
        inventory.list_lapsed_reservations,
        inventory.renew_leases,
        inventory.audit,
        fulfillment.release_shipments,
        fulfillment.request_recall,
        fulfillment.withdraw_recall,
        fulfillment.recall_unpaid,
        fulfillment.cancel_shipments,
        counts.recall_uncovered,
        sourcing.source_again,
        fulfillment.audit,
        billing.commit_credit,
        billing.adjust_credit,
        billing.release_credit,
        billing.issue_invoice,
        billing.reverse_shipment_billing,
        billing.capture_invoice,
        billing.audit,
        notifications.audit,
        returns.advance_return,
        returns.expect_return,
        returns.close_return,
        returns.take_return,
        returns.credit_return,
        exchanges.net_exchange,
        exchanges.settle_exchange,
        orders.record_halted,
        orders.cancel_past_dates,
        temporal.find_halted,
        lost.find_lost_returns,
        lost.record_lost_returns,
    ]


def order_worker(client: Client, services: Services, *, max_cached_workflows: int = 1000) -> Worker:
    """A worker for the order queue."""
    return Worker(
        client,
        task_queue=names.ORDER_QUEUE,
        workflows=WORKFLOWS,
        activities=steps(client, services),
        workflow_runner=SandboxedWorkflowRunner(restrictions=RESTRICTIONS),
        interceptors=[Refusals()],
        graceful_shutdown_timeout=GRACE,
        sticky_queue_schedule_to_start_timeout=STICKY,
        max_cached_workflows=max_cached_workflows,
    )


def payment_worker(client: Client, services: Services) -> Worker:
    """A worker for the queue of steps that ask the payment provider: they take long and keep no order's turn from being taken."""
    billing = BillingActivities(services, Documents(services))
    return Worker(
        client,
        task_queue=names.PAYMENT_QUEUE,
        activities=[billing.capture_invoice],
        interceptors=[Refusals()],
        graceful_shutdown_timeout=GRACE,
    )
