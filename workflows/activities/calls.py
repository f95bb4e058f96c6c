"""What every activity shares: the five stubs, and how a failed call becomes an error that a workflow understands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from oms.billing.v1 import billing_pb2, billing_pb2_grpc
from oms.fulfillment.v1 import fulfillment_pb2, fulfillment_pb2_grpc
from oms.inventory.v1 import inventory_pb2, inventory_pb2_grpc
from oms.notifications.v1 import notifications_pb2_grpc
from oms.orders.v1 import orders_pb2, orders_pb2_grpc
from oms.types.v1 import types_pb2
from services.kernel.bounds import MAX_SOURCES
from services.kernel.errors import DomainError
from services.runtime.auth import machine_token
from services.runtime.grpc_client import RemoteBug, Unreachable, connect_async
from services.runtime.settings import ServiceSettings

CARD = "card"


@dataclass(frozen=True, slots=True)
class Services:
    """The stubs of the five services, for asyncio."""

    orders: orders_pb2_grpc.OrdersServiceAsyncStub
    inventory: inventory_pb2_grpc.InventoryServiceAsyncStub
    fulfillment: fulfillment_pb2_grpc.FulfillmentServiceAsyncStub
    billing: billing_pb2_grpc.BillingServiceAsyncStub
    notifications: notifications_pb2_grpc.NotificationsServiceAsyncStub


def connect_services(settings: ServiceSettings) -> Services:
    """Channels to all five; each connects when it is first used."""
    token = machine_token(settings, "worker")

    def stub(kind: Callable[[Any], Any], target: str) -> Any:
        return kind(connect_async(target, token))

    return Services(
        stub(orders_pb2_grpc.OrdersServiceStub, settings.orders_target),
        stub(inventory_pb2_grpc.InventoryServiceStub, settings.inventory_target),
        stub(fulfillment_pb2_grpc.FulfillmentServiceStub, settings.fulfillment_target),
        stub(billing_pb2_grpc.BillingServiceStub, settings.billing_target),
        stub(notifications_pb2_grpc.NotificationsServiceStub, settings.notifications_target),
    )


async def changed_document(services: Services, order_id: str, change_id: str) -> orders_pb2.Order:
    """The order as a pending change will make it."""
    return (await changed_order(services, order_id, change_id)).order


async def changed_order(services: Services, order_id: str, change_id: str) -> orders_pb2.GetChangedOrderResponse:
    """The order as a pending change will make it, and what kind of change that is."""
    request = orders_pb2.GetChangedOrderRequest(order_id=order_id, change_id=change_id)
    return await services.orders.GetChangedOrder(request)


def goods_of(order: orders_pb2.Order) -> list[orders_pb2.OrderLine]:
    """The lines that somebody must carry."""
    return [line for line in order.lines if line.kind != "service"]


@dataclass(frozen=True, slots=True)
class WarehouseCosts:
    """The warehouses that can serve an order, with what each carrier would charge; empty when no carrier goes to its address."""

    rows: list[inventory_pb2.WarehouseCost]
    currency: str

    def __bool__(self) -> bool:
        return bool(self.rows)


async def warehouse_costs(services: Services, order: orders_pb2.Order) -> WarehouseCosts:
    """The warehouses that can serve the order's address and what that costs, the cheapest of very many; none when no carrier goes there."""
    goods = goods_of(order)
    request = fulfillment_pb2.QuoteWarehousesRequest(
        ship_to=order.ship_to,
        weight_grams=sum(line.unit_weight_grams * line.quantity for line in goods),
        unit_count=sum(line.quantity for line in goods),
    )
    answer = await services.fulfillment.QuoteWarehouses(request)
    rows = [
        inventory_pb2.WarehouseCost(
            warehouse_id=quote.warehouse_id,
            cost_minor=quote.cost_minor,
            tariffs=[_tariff(one, order.requested_on) for one in quote.tariffs],
            lead_days=quote.lead_days,
            delay=quote.delay,
        )
        for quote in answer.quotes[:MAX_SOURCES]
    ]
    return WarehouseCosts(rows, answer.currency)


def destination_of(address: types_pb2.Address) -> str:
    """What stands for an address where only another one matters: it names nobody."""
    return hashlib.sha256(address.SerializeToString(deterministic=True)).hexdigest()[:32]


def unit_weights(goods: Iterable[orders_pb2.OrderLine]) -> list[inventory_pb2.SkuWeight]:
    """What a unit of each SKU weighs, and whether it is dangerous; the heaviest and the most dangerous, where its lines differ."""
    weights: dict[str, inventory_pb2.SkuWeight] = {}
    for line in goods:
        one = weights.setdefault(line.sku, inventory_pb2.SkuWeight(sku=line.sku))
        one.grams = max(one.grams, line.unit_weight_grams)
        one.is_hazardous |= line.is_hazardous
    return list(weights.values())


def _tariff(quoted: fulfillment_pb2.QuotedTariff, requested_on: str) -> inventory_pb2.CarrierTariff:
    late = (
        (date.fromisoformat(quoted.promised_on) - date.fromisoformat(requested_on)).days
        if quoted.promised_on and requested_on
        else 0
    )
    return inventory_pb2.CarrierTariff(
        carrier=quoted.carrier,
        base_minor=quoted.base_minor,
        per_kg_minor=quoted.per_kg_minor,
        per_unit_minor=quoted.per_unit_minor,
        promised_on=quoted.promised_on,
        late_days=max(0, late),
    )


async def charge_fee(services: Services, fee: orders_pb2.Fee) -> None:
    """What cancelling costs is invoiced, once, before anything that is held for the order becomes free, and captured from its card."""
    if not fee.fee_id:
        return
    request = billing_pb2.ChargeFeeRequest(fee_id=fee.fee_id, order=fee.order)
    if fee.order.payment_method == CARD:
        found = await services.orders.GetCard(orders_pb2.GetCardRequest(order_id=fee.order.order_id))
        request.card_token = found.token
    await services.billing.ChargeFee(request)


async def capture_open(services: Services, order_id: str, request_id: str) -> None:
    """Capture what an order's invoices have open from its card."""
    found = await services.orders.GetCard(orders_pb2.GetCardRequest(order_id=order_id))
    request = billing_pb2.CaptureInvoiceRequest(request_id=request_id, order_id=order_id, card_token=found.token)
    await services.billing.CaptureInvoice(request)


async def shipments_of(services: Services, order_id: str) -> list[fulfillment_pb2.Shipment]:
    """Every shipment of an order, page by page: a page ends early where its shipments have many lines."""
    found: list[fulfillment_pb2.Shipment] = []
    cursor = ""
    while True:
        request = fulfillment_pb2.ListShipmentsRequest(order_id=order_id, limit=500, cursor=cursor)
        page = await services.fulfillment.ListShipments(request)
        found += page.shipments
        cursor = page.next_cursor
        if not cursor:
            return found


class Refusals(Interceptor):
    """Turns what a service refused into an error that a workflow understands: the reason as type, final or retryable."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002  # the SDK's name
        """Wrap every step."""
        return _Inbound(super().intercept_activity(next))


class _Inbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # the SDK's name
        """Run the step."""
        try:
            return await super().execute_activity(input)
        except DomainError as refusal:
            raise ApplicationError(str(refusal), type=refusal.reason, non_retryable=refusal.is_final) from refusal
        except Unreachable as absence:
            raise ApplicationError(str(absence), type="UNREACHABLE") from absence
        except RemoteBug as bug:
            raise ApplicationError(str(bug), type="REMOTE_BUG") from bug
