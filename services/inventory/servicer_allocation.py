"""The part of InventoryService that says who gets goods first, and what would come of more."""

import grpc

from oms.inventory.v1 import allocation_pb2 as pb
from oms.inventory.v1 import inventory_pb2
from services.inventory import allocation_wire, ranking, what_if, wire
from services.inventory.servicer_counts import CountServicer
from services.inventory.store import allocation, backorder_pages
from services.inventory.store.backorder_pages import Wanted
from services.kernel.quantity import positive

Context = grpc.ServicerContext | None


class AllocationServicer(CountServicer):
    """The allocation policy and the backorder queue."""

    def PutAllocationPolicy(
        self, request: pb.PutAllocationPolicyRequest, context: Context
    ) -> pb.PutAllocationPolicyResponse:
        """Replace the allocation policy; the same again changes nothing."""
        wanted = allocation_wire.policy(request)
        expected = request.expected_version if request.HasField("expected_version") else None
        with self._database.transaction() as session:
            stored = ranking.put_policy(session, wanted, expected, self._clock())
        return pb.PutAllocationPolicyResponse(policy=allocation_wire.policy_message(stored))

    def GetAllocationPolicy(
        self, request: pb.GetAllocationPolicyRequest, context: Context
    ) -> pb.GetAllocationPolicyResponse:
        """The allocation policy in force."""
        with self._database.reading() as session:
            stored = allocation.policy(session)
        return pb.GetAllocationPolicyResponse(policy=allocation_wire.policy_message(stored))

    def ExpediteOrder(self, request: pb.ExpediteOrderRequest, context: Context) -> pb.ExpediteOrderResponse:
        """Make an order urgent, or no more so; a repeat changes nothing."""
        order_id = wire.identity(request.order_id, "order_id")
        with self._database.transaction() as session:
            units = ranking.expedite(session, order_id, self._clock(), is_expedited=request.is_expedited)
        return pb.ExpediteOrderResponse(waiting_quantity=units)

    def ReleaseBackorder(self, request: pb.ReleaseBackorderRequest, context: Context) -> pb.ReleaseBackorderResponse:
        """Let a backorder be filled that waits for a person."""
        backorder_id = wire.identity(request.backorder_id, "backorder_id")
        with self._database.transaction() as session:
            filled, waiting = ranking.let_in(session, backorder_id, self._clock())
        return pb.ReleaseBackorderResponse(filled_quantity=filled, waiting_quantity=waiting)

    def AskWhatIf(self, request: pb.AskWhatIfRequest, context: Context) -> pb.AskWhatIfResponse:
        """Who would get goods if they came."""
        sku, place = wire.sku(request.sku), wire.identity(request.warehouse_id, "warehouse_id")
        units = positive(request.quantity, "quantity")
        with self._database.reading() as session:
            found = what_if.ask(session, sku, place, units, self._clock())
        return allocation_wire.what_if_message(found)

    def ListBackorders(
        self, request: inventory_pb2.ListBackordersRequest, context: Context
    ) -> inventory_pb2.ListBackordersResponse:
        """The queue, first to be filled first."""
        wanted = Wanted(
            wire.optional_identity(request.order_id, "order_id"),
            wire.sku(request.sku) if request.sku else "",
            wire.optional_identity(request.warehouse_id, "warehouse_id"),
        )
        after, limit = wire.optional_identity(request.cursor, "cursor"), wire.limit(request.limit)
        with self._database.reading() as session:
            queue = backorder_pages.page(session, wanted, after, limit)
        return inventory_pb2.ListBackordersResponse(
            backorders=allocation_wire.queue(queue),
            next_cursor=queue[-1].waiting.backorder_id if len(queue) == limit else "",
        )
