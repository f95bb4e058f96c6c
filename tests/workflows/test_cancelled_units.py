"""What the steps of a change ask when it cancels units: what the warehouses keep stays, and money that is left over becomes free."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.kernel.errors import Conflict
from workflows.activities.billing import BillingActivities
from workflows.activities.calls import Services
from workflows.activities.documents import Documents
from workflows.activities.fulfillment import FulfillmentActivities
from workflows.activities.orders import OrdersActivities
from workflows.messages import Applied, ApplyStep, ChangeStep, Credit, OrderStep, Recall

USD = types_pb2.Money(minor_units=25_000, currency="USD")


class World:
    """Orders, fulfillment and billing as far as these steps ask them; `conflicts` refusals come before orders applies."""

    def __init__(self) -> None:
        self.carried = {"1": 10}
        self.state = fulfillment_pb2.RECALL_STATE_NOTHING_TO_RECALL
        self.is_cancellation = self.keeps_pending = True
        self.fee: orders_pb2.Fee | None = None
        self.conflicts: list[str] = []
        self.recalls: list[Any] = []
        self.kept: list[dict[str, int]] = []
        self.keys: list[str] = []
        self.applied: list[int | None] = []
        self.freed: list[tuple[str, int]] = []
        stubs: Any = (self, None, self, self, None)
        services = Services(*stubs)
        self.fulfillment = FulfillmentActivities(services, Documents(services))
        self.orders = OrdersActivities(services, Documents(services))
        self.billing = BillingActivities(services, Documents(services))

    async def GetOrder(self, _: Any) -> orders_pb2.GetOrderResponse:
        line = orders_pb2.OrderLine(line_id="1", sku="BOLT", quantity=40, kind="stock")
        return orders_pb2.GetOrderResponse(order=orders_pb2.Order(order_id="ord_1", version=1, lines=[line]))

    async def GetChangedOrder(self, _: Any) -> orders_pb2.GetChangedOrderResponse:
        line = orders_pb2.OrderLine(line_id="1", sku="BOLT", quantity=10, kind="stock")
        order = orders_pb2.Order(order_id="ord_1", version=2, lines=[line])
        return orders_pb2.GetChangedOrderResponse(order=order, is_cancellation=self.is_cancellation)

    async def RequestRecall(self, request: Any) -> fulfillment_pb2.RequestRecallResponse:
        self.recalls.append(request)
        carried = [types_pb2.LineQuantity(line_id=name, quantity=units) for name, units in self.carried.items()]
        return fulfillment_pb2.RequestRecallResponse(state=self.state, carried=carried)

    async def KeepUnits(self, request: orders_pb2.KeepUnitsRequest) -> orders_pb2.KeepUnitsResponse:
        self.keys.append(request.request_id)
        self.kept.append({line.line_id: line.quantity for line in request.carried})
        return orders_pb2.KeepUnitsResponse(is_pending=self.keeps_pending, reason="" if self.keeps_pending else "kept")

    async def ApplyChange(self, request: orders_pb2.ApplyChangeRequest) -> orders_pb2.ApplyChangeResponse:
        self.applied.append(request.invoice_count if request.HasField("invoice_count") else None)
        if self.conflicts:
            raise Conflict(self.conflicts.pop(0), "try again in a moment")
        return orders_pb2.ApplyChangeResponse(
            is_applied=True, version=2, total=USD, frees_cash=self.is_cancellation,
            clearance=orders_pb2.Clearance(state=orders_pb2.CLEARANCE_STATE_CLEARED), fee=self.fee,
        )  # fmt: skip

    async def ListInvoices(self, request: billing_pb2.ListInvoicesRequest) -> billing_pb2.ListInvoicesResponse:
        cursor = "" if request.cursor else "2"
        return billing_pb2.ListInvoicesResponse(invoices=[billing_pb2.Invoice()], next_cursor=cursor)

    async def ChargeFee(self, request: billing_pb2.ChargeFeeRequest) -> billing_pb2.ChargeFeeResponse:
        self.freed.append((request.fee_id, request.order.total.minor_units))
        return billing_pb2.ChargeFeeResponse()

    async def GetClearance(self, _: Any) -> orders_pb2.GetClearanceResponse:
        return orders_pb2.GetClearanceResponse(fee=self.fee)

    async def ReleaseCredit(self, request: billing_pb2.ReleaseCreditRequest) -> billing_pb2.ReleaseCreditResponse:
        self.freed.append((request.request_id, 0))
        return billing_pb2.ReleaseCreditResponse()

    async def FreeOrderMoney(self, request: billing_pb2.FreeOrderMoneyRequest) -> billing_pb2.FreeOrderMoneyResponse:
        self.freed.append((request.request_id, request.amount.minor_units))
        return billing_pb2.FreeOrderMoneyResponse()

    async def recall(self) -> Recall:
        return await self.fulfillment.request_recall(ChangeStep("recall/1", "ord_1", "chg_1"))

    async def apply(self) -> Applied:
        credit = Credit(is_granted=True, exposure_minor=0, limit_minor=0)
        return await self.orders.apply_change(ApplyStep("apply/1", "ord_1", "chg_1", credit, "USD"))


async def test_what_shipments_carry_is_kept_once_nothing_is_asked_back_any_more() -> None:
    world = World()

    done = await world.recall()

    assert done == Recall("nothing_to_recall")
    assert world.recalls[0].is_cancellation
    assert world.kept == [{"1": 10}]
    assert world.keys == ["recall/1"]


async def test_while_a_warehouse_has_not_answered_nothing_is_decided() -> None:
    world = World()
    world.state = fulfillment_pb2.RECALL_STATE_PENDING

    assert (await world.recall()).state == "pending"
    assert world.kept == []


async def test_a_cancellation_of_which_all_is_kept_cannot_come_about() -> None:
    world = World()
    world.keeps_pending = False

    assert await world.recall() == Recall("refused", "kept")


async def test_another_change_asks_as_before() -> None:
    world = World()
    world.is_cancellation = False

    await world.recall()
    await world.apply()

    assert (world.recalls[0].is_cancellation, world.kept, world.freed) == (False, [], [])


async def test_money_that_is_left_over_becomes_free_with_the_version() -> None:
    world = World()

    done = await world.apply()

    assert (done.is_applied, world.applied) == (True, [None])
    assert world.freed == [("apply/1/money", 25_000)]


async def test_an_invoice_that_may_be_unheard_of_is_counted_by_billing() -> None:
    world = World()
    world.conflicts = ["INVOICE_PENDING"]

    done = await world.apply()

    assert (done.is_applied, world.applied) == (True, [None, 2])


@pytest.mark.parametrize("reasons", [["INVOICE_PENDING", "INVOICE_PENDING"], ["ANOTHER"]])
async def test_what_still_conflicts_is_tried_again_by_the_workflow(reasons: list[str]) -> None:
    world = World()
    world.conflicts = reasons

    with pytest.raises(Conflict):
        await world.apply()

    assert world.freed == []


async def test_a_fee_is_charged_before_the_money_that_is_left_over_becomes_free() -> None:
    world = World()
    world.fee = orders_pb2.Fee(fee_id="can_1", order=orders_pb2.Order(total=USD))

    await world.apply()

    assert world.freed == [("can_1", USD.minor_units), ("apply/1/money", USD.minor_units)]


async def test_the_fee_of_a_whole_order_is_charged_before_money_goes_back_to_a_card() -> None:
    world = World()
    world.fee = orders_pb2.Fee(fee_id="can_1", order=orders_pb2.Order(total=USD))

    await world.billing.release_credit(OrderStep("release/1", "ord_1"))

    assert world.freed == [("can_1", USD.minor_units), ("release/1", 0)]
