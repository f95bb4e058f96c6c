"""What inventory answers over gRPC: translate, decide in one transaction, translate back."""

import grpc
from sqlmodel import Session

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory import (
    adjusting,
    return_wire,
    returning,
    reversing,
    sourcing,
    sourcing_wire,
    supplying,
    transactions,
    wire,
)
from services.inventory.availability import availability
from services.inventory.servicer_allocation import AllocationServicer
from services.inventory.servicer_bins import BinsServicer
from services.inventory.servicer_outages import OutagesServicer
from services.inventory.servicer_replay import ReplayServicer
from services.inventory.servicer_supply import SupplyServicer
from services.inventory.store import audit, backorders, quarantine, reservations, stock, warehouses
from services.inventory.store import sourcing as plans
from services.kernel.clock import Clock, utc_now
from services.runtime.audit import find_all, invariant_messages
from services.runtime.db import Database
from services.runtime.idempotency import without
from services.runtime.wire import money, optional_money

Context = grpc.ServicerContext | None


class InventoryServicer(AllocationServicer, SupplyServicer, OutagesServicer, ReplayServicer, BinsServicer):
    """Stock and who it is promised to. Every change is made once per request id; a repeat gets the first answer."""

    def __init__(self, database: Database, *, currency: str = "USD", clock: Clock = utc_now) -> None:
        self._database = database
        self._currency = currency
        self._clock = clock

    def PutWarehouse(self, request: pb.PutWarehouseRequest, context: Context) -> pb.PutWarehouseResponse:
        """Create or replace a warehouse; one that opens again serves who waits."""
        place = wire.warehouse(request)
        expected = request.expected_version if request.HasField("expected_version") else None
        with self._database.transaction() as session:
            stored = transactions.put_warehouse(session, place, self._clock(), expected)
        return pb.PutWarehouseResponse(warehouse=wire.warehouse_message(stored))

    def ListWarehouses(self, request: pb.ListWarehousesRequest, context: Context) -> pb.ListWarehousesResponse:
        """Every warehouse by id."""
        with self._database.reading() as session:
            places = warehouses.every(session)
        return pb.ListWarehousesResponse(warehouses=[wire.warehouse_message(place) for place in places])

    def ReceiveStock(self, request: pb.ReceiveStockRequest, context: Context) -> pb.ReceiveStockResponse:
        """Book goods in and fill waiting backorders with them."""
        receipt = wire.receipt(request)

        def act(session: Session) -> pb.ReceiveStockResponse:
            change, on_hand, fills = transactions.receive(session, receipt, self._clock())
            return pb.ReceiveStockResponse(
                movement_id=change.movement_id,
                on_hand=on_hand,
                filled_quantity=sum(fill.quantity for fill in fills),
                filled_order_ids=dict.fromkeys(fill.backorder.order_id for fill in fills),
            )

        return self._database.once(request.request_id, request, pb.ReceiveStockResponse, act)

    def AdjustStock(self, request: pb.AdjustStockRequest, context: Context) -> pb.AdjustStockResponse:
        """Book a count difference; refused when promised units would be missing, or found ones have no cost."""
        adjustment = wire.adjustment(request)

        def act(session: Session) -> pb.AdjustStockResponse:
            change, on_hand = transactions.adjust(session, adjustment, self._currency, self._clock())
            return pb.AdjustStockResponse(movement_id=change.movement_id, on_hand=on_hand)

        same = without(
            request, "standard_cost", "standard_currency"
        )  # the catalog may have changed when it is asked again
        return self._database.once(request.request_id, same, pb.AdjustStockResponse, act)

    def ExpectReceipt(self, request: pb.ExpectReceiptRequest, context: Context) -> pb.ExpectReceiptResponse:
        """Announce supply; orders hears of the days that it changes."""
        announcement = wire.announcement(request)

        def act(session: Session) -> pb.ExpectReceiptResponse:
            receipt, is_known = supplying.expect(session, announcement, self._clock())
            return pb.ExpectReceiptResponse(expected_receipt_id=receipt.expected_receipt_id, is_known=is_known)

        return self._database.once(request.request_id, request, pb.ExpectReceiptResponse, act)

    def ListStock(self, request: pb.ListStockRequest, context: Context) -> pb.ListStockResponse:
        """Stock levels by SKU, then warehouse."""
        sku = wire.sku(request.sku) if request.sku else ""
        place = wire.optional_identity(request.warehouse_id, "warehouse_id")
        after, limit = wire.level_cursor(request.cursor), wire.limit(request.limit)
        with self._database.reading() as session:
            levels = stock.levels(session, sku, place, after, limit)
        last = levels[-1] if len(levels) == limit else None
        return pb.ListStockResponse(
            levels=[wire.level(level) for level in levels],
            next_cursor=f"{last.sku}|{last.warehouse_id}" if last else "",
        )

    def GetAvailability(self, request: pb.GetAvailabilityRequest, context: Context) -> pb.GetAvailabilityResponse:
        """What there is and what comes of some SKUs, in as many queries for two thousand as for one."""
        skus = wire.skus(request.skus)
        with self._database.reading() as session:
            found = availability(session, skus)
        return pb.GetAvailabilityResponse(skus=[wire.availability(one) for one in found])

    def ReserveStock(self, request: pb.ReserveStockRequest, context: Context) -> pb.ReserveStockResponse:
        """Hold what stock allows and name what it does not."""
        demand = wire.demand(request)

        def act(session: Session) -> pb.ReserveStockResponse:
            reservation_id, planned = transactions.reserve(session, demand, self._clock())
            plan = planned.plan
            waiting = backorders.lines_of_order(session, demand.order_id) if plan.shortages else []
            return pb.ReserveStockResponse(
                reservation_id=reservation_id,
                allocations=wire.allocations(plan.allocations),
                shortages=wire.shortages(waiting),
                why=planned.why,
            )

        # rates and the customer's tier may have changed when a step is tried again, and a release before it said less
        same = without(request, "costs", "currency", "customer_tier", "customer_id", "destination")
        return self._database.once(request.request_id, same, pb.ReserveStockResponse, act)

    def AdjustReservation(self, request: pb.AdjustReservationRequest, context: Context) -> pb.AdjustReservationResponse:
        """Hold and queue what a changed order wants; what it gives up fills the backorders of others."""
        adjusted = wire.adjusted(request)
        order_id = adjusted.demand.order_id

        def act(session: Session) -> pb.AdjustReservationResponse:
            why = adjusting.adjust(session, adjusted, self._clock())
            held, _ = reservations.of_order(session, order_id)
            waiting = backorders.lines_of_order(session, order_id)
            return pb.AdjustReservationResponse(
                reservation_id=reservations.active_of(session, order_id) or "",
                allocations=wire.allocations(held),
                shortages=wire.shortages(waiting),
                why=why,
            )

        # rates may have changed, and a shipment left, when a step is tried again
        same = without(request, "costs", "currency", "carried", "customer_tier", "customer_id", "destination")
        return self._database.once(request.request_id, same, pb.AdjustReservationResponse, act)

    def PutSourcingPolicy(self, request: pb.PutSourcingPolicyRequest, context: Context) -> pb.PutSourcingPolicyResponse:
        """Replace the sourcing policy; the same again changes nothing."""
        wanted = sourcing_wire.policy(request.policy)
        expected = request.expected_version if request.HasField("expected_version") else None
        with self._database.transaction() as session:
            stored = sourcing.put_policy(session, wanted, expected)
        return pb.PutSourcingPolicyResponse(policy=sourcing_wire.policy_message(stored))

    def GetSourcingPolicy(self, request: pb.GetSourcingPolicyRequest, context: Context) -> pb.GetSourcingPolicyResponse:
        """The sourcing policy in force."""
        with self._database.reading() as session:
            stored = plans.policy(session)
        return pb.GetSourcingPolicyResponse(policy=sourcing_wire.policy_message(stored))

    def GetSourcing(self, request: pb.GetSourcingRequest, context: Context) -> pb.GetSourcingResponse:
        """Why an order is served from where it is, the newest plan first."""
        order_id = wire.identity(request.order_id, "order_id")
        with self._database.reading() as session:
            kept = plans.plans_of(session, order_id)
        return pb.GetSourcingResponse(plans=[sourcing_wire.plan_message(*one) for one in kept])

    def GetReservation(self, request: pb.GetReservationRequest, context: Context) -> pb.GetReservationResponse:
        """What is held, waits and has shipped for an order; empty when nothing ever was."""
        order_id = wire.identity(request.order_id, "order_id")
        with self._database.reading() as session:
            held, shipped = reservations.of_order(session, order_id)
            waiting = backorders.lines_of_order(session, order_id)
        return pb.GetReservationResponse(
            allocations=wire.allocations(held), shortages=wire.shortages(waiting), shipped=wire.allocations(shipped)
        )

    def ReleaseReservation(
        self, request: pb.ReleaseReservationRequest, context: Context
    ) -> pb.ReleaseReservationResponse:
        """Let go of all that an order holds or waits for; what is freed fills the backorders of others."""
        order_id = wire.released_order(request)

        def act(session: Session) -> pb.ReleaseReservationResponse:
            released, cancelled = transactions.release(session, order_id, self._clock())
            return pb.ReleaseReservationResponse(released_quantity=released, cancelled_backorder_quantity=cancelled)

        return self._database.once(request.request_id, request, pb.ReleaseReservationResponse, act)

    def ShipStock(self, request: pb.ShipStockRequest, context: Context) -> pb.ShipStockResponse:
        """Ship confirm: what was allocated leaves the building at the cost of its layers."""
        departure = wire.departure(request)

        def act(session: Session) -> pb.ShipStockResponse:
            return pb.ShipStockResponse(cost=optional_money(transactions.ship(session, departure, self._clock())))

        return self._database.once(request.request_id, request, pb.ShipStockResponse, act)

    def ReverseIssue(self, request: pb.ReverseIssueRequest, context: Context) -> pb.ReverseIssueResponse:
        """A ship confirm was a mistake: what it took off is back."""
        departure = wire.departure(request)

        def act(session: Session) -> pb.ReverseIssueResponse:
            return pb.ReverseIssueResponse(cost=optional_money(reversing.reverse(session, departure, self._clock())))

        return self._database.once(request.request_id, request, pb.ReverseIssueResponse, act)

    def TakeReturn(self, request: pb.TakeReturnRequest, context: Context) -> pb.TakeReturnResponse:
        """Goods that came back, at what they had cost when they left."""
        back = return_wire.back(request)

        def act(session: Session) -> pb.TakeReturnResponse:
            return pb.TakeReturnResponse(cost=optional_money(returning.take(session, back, self._clock())))

        return self._database.once(request.request_id, request, pb.TakeReturnResponse, act)

    def ListLapsedReservations(
        self, request: pb.ListLapsedReservationsRequest, context: Context
    ) -> pb.ListLapsedReservationsResponse:
        """Orders whose lease has run out, longest first."""
        limit = wire.limit(request.limit)
        with self._database.reading() as session:
            order_ids = reservations.lapsed(session, self._clock(), limit)
        return pb.ListLapsedReservationsResponse(order_ids=order_ids)

    def RenewLeases(self, request: pb.RenewLeasesRequest, context: Context) -> pb.RenewLeasesResponse:
        """Start the leases of living orders again; a repeat renews again."""
        order_ids = wire.order_ids(request.order_ids)
        with self._database.transaction() as session:
            return pb.RenewLeasesResponse(renewed_count=reservations.renew(session, order_ids, self._clock()))

    def Audit(self, request: pb.AuditRequest, context: Context) -> pb.AuditResponse:
        """Check every invariant of this service."""
        with self._database.reading() as session:
            return pb.AuditResponse(
                invariants=invariant_messages(find_all(session, audit.invariants(self._clock()))),
                stock_value=[money(worth) for worth in audit.stock_value(session)],
                quarantine_value=[money(worth) for worth in quarantine.value(session)],
                holding_order_ids=audit.holding_order_ids(session),
            )
