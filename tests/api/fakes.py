"""Small neighbors that keep their promises: repeats answered alike, unknown ids refused, everything in memory."""

from __future__ import annotations

from typing import Any

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.fulfillment.v1 import schedules_pb2
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.notifications.v1 import notifications_pb2 as notifications
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound, Refused
from services.runtime.grpc_client import DEADLINE_S
from services.runtime.versioned import check_seen
from tests.api.fake_allocation import Allocations
from tests.api.fake_bins import Bins
from tests.api.fake_counts import Counts, Uncovered
from tests.api.fake_outages import Outages
from tests.api.fake_quarantine import Quarantine
from tests.api.fake_supply import FakeSupply
from tests.api.fake_waves import Waves
from tests.api.neighbor import Neighbor
from tests.api.recalls import Recalls

_FROM = {"pick": "RELEASED", "pack": "PICKED", "ship": "PACKED"}
_TO = {"pick": "PICKED", "pack": "PACKED", "ship": "SHIPPED"}


class FakeInventory(FakeSupply, Allocations, Counts, Outages, Bins):
    """Stock by (sku, warehouse) and the warehouses."""

    def __init__(self) -> None:
        super().__init__()
        Allocations.__init__(self)
        Counts.__init__(self)
        Bins.__init__(self)
        self.on_hand: dict[tuple[str, str], int] = {}
        self.inbound: dict[str, list[inventory.InboundSupply]] = {}
        self.waiting: dict[str, int] = {}
        self.counted: list[tuple[str, str, str, str]] = []
        self.warehouses: dict[str, inventory.Warehouse] = {}
        self.audit = inventory.AuditResponse()
        self.policy = inventory.SourcingPolicy()
        self.plans: dict[str, list[inventory.SourcingPlan]] = {}
        self.replayed = inventory.ReplaySourcingResponse()
        self.tried: list[inventory.ReplaySourcingRequest] = []
        self.quarantine = Quarantine()

    def ReplaySourcing(
        self, request: inventory.ReplaySourcingRequest, timeout: float = DEADLINE_S
    ) -> inventory.ReplaySourcingResponse:
        self.here(timeout)
        self.tried.append(request)
        return self.replayed

    def ListQuarantine(self, request: inventory.ListQuarantineRequest) -> inventory.ListQuarantineResponse:
        self.here()
        return self.quarantine.listed(request)

    def DecideQuarantine(self, request: inventory.DecideQuarantineRequest) -> inventory.DecideQuarantineResponse:
        return self.once(request, lambda: self.quarantine.decide(request))

    def PutSourcingPolicy(self, request: inventory.PutSourcingPolicyRequest) -> inventory.PutSourcingPolicyResponse:
        self.here()
        if request.HasField("expected_version"):
            check_seen(self.policy.version, request.expected_version)
        stored = inventory.SourcingPolicy()
        stored.CopyFrom(request.policy)
        stored.version = self.policy.version
        if stored != self.policy:
            stored.version += 1
        self.policy = stored
        return inventory.PutSourcingPolicyResponse(policy=stored)

    def GetSourcingPolicy(self, request: inventory.GetSourcingPolicyRequest) -> inventory.GetSourcingPolicyResponse:
        self.here()
        return inventory.GetSourcingPolicyResponse(policy=self.policy)

    def GetSourcing(
        self, request: inventory.GetSourcingRequest, timeout: float = DEADLINE_S
    ) -> inventory.GetSourcingResponse:
        self.here(timeout)
        return inventory.GetSourcingResponse(plans=self.plans.get(request.order_id, []))

    def PutWarehouse(self, request: inventory.PutWarehouseRequest) -> inventory.PutWarehouseResponse:
        self.here()
        known = self.warehouses.get(request.warehouse.warehouse_id, inventory.Warehouse())
        if request.HasField("expected_version"):
            check_seen(known.version, request.expected_version)
        stored = inventory.Warehouse()
        stored.CopyFrom(request.warehouse)
        stored.version = known.version
        if stored != known:
            stored.version += 1
        self.warehouses[stored.warehouse_id] = stored
        return inventory.PutWarehouseResponse(warehouse=stored)

    def ListWarehouses(
        self, request: inventory.ListWarehousesRequest, timeout: float = 5
    ) -> inventory.ListWarehousesResponse:
        self.here()
        return inventory.ListWarehousesResponse(warehouses=[row for _, row in sorted(self.warehouses.items())])

    def ListStock(self, request: inventory.ListStockRequest) -> inventory.ListStockResponse:
        self.here()
        value = types.Money(minor_units=1200, currency="USD")
        levels = [
            inventory.StockLevel(sku=sku, warehouse_id=place, on_hand=units, available=units, value=value)
            for (sku, place), units in sorted(self.on_hand.items())
            if request.sku in ("", sku) and request.warehouse_id in ("", place)
        ]
        return inventory.ListStockResponse(levels=levels[: request.limit])

    def GetAvailability(
        self, request: inventory.GetAvailabilityRequest, timeout: float = DEADLINE_S
    ) -> inventory.GetAvailabilityResponse:
        self.here(timeout)
        found = []
        for sku in sorted(set(request.skus)):
            units = sum(count for (of, _), count in self.on_hand.items() if of == sku)
            inbound = sorted(self.inbound.get(sku, []), key=lambda one: one.expected_on)
            found.append(
                inventory.SkuAvailability(
                    sku=sku,
                    on_hand=units,
                    available=units,
                    backordered=self.waiting.get(sku, 0),
                    inbound=inbound,
                    inbound_quantity=sum(one.quantity for one in inbound),
                )
            )
        return inventory.GetAvailabilityResponse(skus=found)

    def ReceiveStock(self, request: inventory.ReceiveStockRequest) -> inventory.ReceiveStockResponse:
        def act() -> inventory.ReceiveStockResponse:
            key = (request.sku, request.warehouse_id)
            self.on_hand[key] = self.on_hand.get(key, 0) + request.quantity
            return inventory.ReceiveStockResponse(movement_id=f"mov_{next(self._ids)}", on_hand=self.on_hand[key])

        return self.once(request, act)

    def AdjustStock(self, request: inventory.AdjustStockRequest) -> inventory.AdjustStockResponse:
        def act() -> inventory.AdjustStockResponse:
            key = (request.sku, request.warehouse_id)
            if self.on_hand.get(key, 0) + request.delta < 0:
                raise Refused("STOCK_ALLOCATED", "there is less stock than that")
            if request.delta > 0 and not (request.unit_cost or request.standard_cost):
                raise Refused("COST_UNKNOWN", "nobody knows what it cost")
            self.counted.append((request.unit_cost, request.currency, request.standard_cost, request.standard_currency))
            self.on_hand[key] = self.on_hand.get(key, 0) + request.delta
            return inventory.AdjustStockResponse(movement_id=f"mov_{next(self._ids)}", on_hand=self.on_hand[key])

        return self.once(request, act)

    def Audit(self, request: inventory.AuditRequest) -> inventory.AuditResponse:
        self.here()
        return self.audit


class FakeFulfillment(Waves, Uncovered):
    """Shipments that move through their states."""

    def __init__(self) -> None:
        super().__init__()
        Uncovered.__init__(self)
        self.rates = fulfillment.GetRatesResponse()
        self.schedules: dict[str, schedules_pb2.Schedule] = {}
        self.events: dict[tuple[str, str], Any] = {}
        self.recalls = Recalls()
        self.counted: list[fulfillment.ReceiveReturnRequest] = []
        self.packed: list[fulfillment.PackShipmentRequest] = []
        self.inspected: list[fulfillment.InspectReturnRequest] = []
        self.audit = fulfillment.AuditResponse()

    def release(self, shipment_id: str, **members: Any) -> fulfillment.Shipment:
        shipment = fulfillment.Shipment(
            shipment_id=shipment_id, state=fulfillment.SHIPMENT_STATE_RELEASED, number="SH-1001", **members
        )
        self.shipments[shipment_id] = shipment
        return shipment

    def PutRates(self, request: fulfillment.PutRatesRequest) -> fulfillment.PutRatesResponse:
        self.here()
        if request.HasField("expected_version"):
            check_seen(self.rates.version, request.expected_version)
        table = fulfillment.GetRatesResponse(
            currency=request.currency, rates=request.rates, zones=request.zones, version=self.rates.version
        )
        if table != self.rates:
            table.version += 1
        self.rates = table
        return fulfillment.PutRatesResponse(
            rate_count=len(request.rates), zone_count=len(request.zones), version=table.version
        )

    def GetRates(self, request: fulfillment.GetRatesRequest) -> fulfillment.GetRatesResponse:
        self.here()
        if not self.rates.version:
            raise NotFound("RATES_UNKNOWN", "no rates are stored yet")
        return self.rates

    def QuoteWarehouses(self, request: fulfillment.QuoteWarehousesRequest) -> fulfillment.QuoteWarehousesResponse:
        self.here()
        quote = fulfillment.WarehouseQuote(warehouse_id="wh_1", carrier="ups", cost_minor=900, transit_days=2)
        return fulfillment.QuoteWarehousesResponse(quotes=[quote])

    def ListShipments(self, request: fulfillment.ListShipmentsRequest) -> fulfillment.ListShipmentsResponse:
        self.here()
        rows = [
            row
            for row in self.shipments.values()
            if request.order_id in ("", row.order_id)
            and request.number in ("", row.number)
            and request.tracking_number in ("", row.tracking_number, *(one.sscc for one in row.packages))
            and request.state in (fulfillment.SHIPMENT_STATE_UNSPECIFIED, row.state)
        ]
        return fulfillment.ListShipmentsResponse(shipments=rows)

    def PutSchedule(self, request: schedules_pb2.PutScheduleRequest) -> schedules_pb2.PutScheduleResponse:
        self.here()
        known = self.schedules.get(request.schedule.warehouse_id)
        if request.HasField("expected_version"):
            check_seen(known.version if known else 0, request.expected_version)
        stored = schedules_pb2.Schedule()
        stored.CopyFrom(request.schedule)
        stored.version = known.version + 1 if known else 1
        self.schedules[stored.warehouse_id] = stored
        return schedules_pb2.PutScheduleResponse(schedule=stored)

    def ListSchedules(self, _request: schedules_pb2.ListSchedulesRequest) -> schedules_pb2.ListSchedulesResponse:
        self.here()
        return schedules_pb2.ListSchedulesResponse(schedules=[one for _, one in sorted(self.schedules.items())])

    def ListDueShipments(self, request: fulfillment.ListDueShipmentsRequest) -> fulfillment.ListDueShipmentsResponse:
        self.here()
        rows = [
            row
            for row in sorted(self.shipments.values(), key=lambda one: (one.promised_on or "9", one.number))
            if row.state == request.state and not row.is_service and request.warehouse_id in ("", row.warehouse_id)
        ]
        return fulfillment.ListDueShipmentsResponse(shipments=rows[: request.limit], total=len(rows))

    def GetShipment(self, request: fulfillment.GetShipmentRequest) -> fulfillment.GetShipmentResponse:
        self.here()
        return fulfillment.GetShipmentResponse(shipment=self._shipment(request.shipment_id))

    def PickShipment(self, request: fulfillment.PickShipmentRequest) -> fulfillment.PickShipmentResponse:
        return self.once(
            request, lambda: fulfillment.PickShipmentResponse(shipment=self._move(request.shipment_id, "pick"))
        )

    def PackShipment(self, request: fulfillment.PackShipmentRequest) -> fulfillment.PackShipmentResponse:
        self.packed.append(request)
        return self.once(
            request, lambda: fulfillment.PackShipmentResponse(shipment=self._move(request.shipment_id, "pack"))
        )

    def ShipShipment(self, request: fulfillment.ShipShipmentRequest) -> fulfillment.ShipShipmentResponse:
        return self.once(
            request, lambda: fulfillment.ShipShipmentResponse(shipment=self._move(request.shipment_id, "ship"))
        )

    def CheckReversal(self, request: fulfillment.CheckReversalRequest) -> fulfillment.CheckReversalResponse:
        self.here()
        return fulfillment.CheckReversalResponse(shipment=self._shipped(request.shipment_id))

    def ReverseShipment(self, request: fulfillment.ReverseShipmentRequest) -> fulfillment.ReverseShipmentResponse:
        def act() -> fulfillment.ReverseShipmentResponse:
            shipment = self._shipped(request.shipment_id)
            shipment.state = fulfillment.SHIPMENT_STATE_CANCELLED
            shipment.reversal.reason, shipment.reversal.reversed_by = request.reason, request.reversed_by
            shipment.reversal.replaced_by = "SH-1002"
            shipment.reversal.shipped_at_micros = shipment.reversal.reversed_at_micros = 1_780_000_000_000_000
            return fulfillment.ReverseShipmentResponse(shipment=shipment)

        return self.once(request, act)

    def InterceptShipment(self, request: fulfillment.InterceptShipmentRequest) -> fulfillment.InterceptShipmentResponse:
        def act() -> fulfillment.InterceptShipmentResponse:
            shipment = self._shipped(request.shipment_id)
            how = shipment.interception
            how.state, how.reason, how.asked_by = (
                request.carrier_answer or "intercepted",
                request.reason,
                request.asked_by,
            )
            how.asked_at_micros = how.answered_at_micros = 1_780_000_000_000_000
            return fulfillment.InterceptShipmentResponse(shipment=shipment)

        return self.once(request, act)

    def ListRecalls(self, request: fulfillment.ListRecallsRequest) -> fulfillment.ListRecallsResponse:
        self.here()
        return fulfillment.ListRecallsResponse(recalls=self.recalls.pending(request.order_id))

    def AnswerRecall(self, request: fulfillment.AnswerRecallRequest) -> fulfillment.AnswerRecallResponse:
        return self.once(request, lambda: fulfillment.AnswerRecallResponse(recall=self.recalls.answer(request)))

    def ReceiveReturn(self, request: fulfillment.ReceiveReturnRequest) -> fulfillment.ReceiveReturnResponse:
        def act() -> fulfillment.ReceiveReturnResponse:
            self.counted.append(request)
            return fulfillment.ReceiveReturnResponse()

        return self.once(request, act)

    def InspectReturn(self, request: fulfillment.InspectReturnRequest) -> fulfillment.InspectReturnResponse:
        def act() -> fulfillment.InspectReturnResponse:
            self.inspected.append(request)
            return fulfillment.InspectReturnResponse(inspection_id=f"insp_{len(self.inspected)}")

        return self.once(request, act)

    def RecordCarrierEvent(
        self, request: fulfillment.RecordCarrierEventRequest
    ) -> fulfillment.RecordCarrierEventResponse:
        self.here()
        found = [row for row in self.shipments.values() if row.tracking_number == request.tracking_number]
        if not found:
            raise NotFound("TRACKING_NUMBER_UNKNOWN", "no shipment has this tracking number")
        key = (request.carrier, request.event_id)
        is_new = key not in self.events
        if self.events.setdefault(key, request) != request:
            raise Refused("WEBHOOK_ID_REUSED", "this webhook-id has told of something else", order_id=found[0].order_id)
        if is_new and request.status == "delivered":
            self.actions += 1
            found[0].state = fulfillment.SHIPMENT_STATE_DELIVERED
        return fulfillment.RecordCarrierEventResponse(is_new=is_new, shipment=found[0])

    def Audit(self, request: fulfillment.AuditRequest) -> fulfillment.AuditResponse:
        self.here()
        return self.audit

    def _shipment(self, shipment_id: str) -> fulfillment.Shipment:
        if shipment_id not in self.shipments:
            raise NotFound("SHIPMENT_NOT_FOUND", "there is no such shipment")
        return self.shipments[shipment_id]

    def _shipped(self, shipment_id: str) -> fulfillment.Shipment:
        shipment = self._shipment(shipment_id)
        if shipment.state != fulfillment.SHIPMENT_STATE_SHIPPED:
            raise Refused("ILLEGAL_TRANSITION", f"shipment {shipment.number} cannot be reversed")
        return shipment

    def _move(self, shipment_id: str, verb: str) -> fulfillment.Shipment:
        shipment = self._shipment(shipment_id)
        state = fulfillment.ShipmentState.Name(shipment.state).removeprefix("SHIPMENT_STATE_")
        if state != _FROM[verb] and not (verb == "ship" and shipment.is_service):
            raise Refused("ILLEGAL_TRANSITION", f"a shipment that is {state.lower()} cannot {verb}")
        shipment.state = fulfillment.ShipmentState.Value(f"SHIPMENT_STATE_{_TO[verb]}")
        copy = fulfillment.Shipment()
        copy.CopyFrom(shipment)
        return copy


class FakeNotifications(Neighbor):
    """Deliveries, one of them dead."""

    def __init__(self) -> None:
        super().__init__()
        self.deliveries = {
            "del_1": notifications.Delivery(delivery_id="del_1", kind="shipped", email="a@b.example", state="dead")
        }
        self.audit = notifications.AuditResponse()

    def ListDeliveries(self, request: notifications.ListDeliveriesRequest) -> notifications.ListDeliveriesResponse:
        self.here()
        return notifications.ListDeliveriesResponse(deliveries=list(self.deliveries.values()))

    def RetryDelivery(self, request: notifications.RetryDeliveryRequest) -> notifications.RetryDeliveryResponse:
        self.here()
        if request.delivery_id not in self.deliveries:
            raise NotFound("DELIVERY_NOT_FOUND", "there is no such delivery")
        self.deliveries[request.delivery_id].state = "waiting"
        return notifications.RetryDeliveryResponse(delivery=self.deliveries[request.delivery_id])

    def ListTemplates(self, request: notifications.ListTemplatesRequest) -> notifications.ListTemplatesResponse:
        self.here()
        return notifications.ListTemplatesResponse(
            templates=[notifications.Template(kind="shipped", roles=["customer", "support"])]
        )

    def PreviewTemplate(self, request: notifications.PreviewTemplateRequest) -> notifications.PreviewTemplateResponse:
        self.here()
        if (request.kind, request.role) != ("shipped", "customer"):
            raise NotFound("NO_SUCH_TEMPLATE", "there is no such text")
        return notifications.PreviewTemplateResponse(
            subject="Your order SO-1001 is on its way", text="SO-1001 left us", html='<p style="color: red">SO-1001</p>'
        )

    def Audit(self, request: notifications.AuditRequest) -> notifications.AuditResponse:
        self.here()
        return self.audit
