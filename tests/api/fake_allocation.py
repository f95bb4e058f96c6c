"""What a small inventory knows of who gets goods first."""

from __future__ import annotations

from oms.inventory.v1 import allocation_pb2 as pb
from oms.inventory.v1 import inventory_pb2 as inventory
from services.kernel.errors import NotFound
from services.runtime.grpc_client import DEADLINE_S
from services.runtime.versioned import check_seen


class Allocations:
    """The allocation policy, and backorders as a test prepared them."""

    def __init__(self) -> None:
        self.backorders: list[inventory.Backorder] = []
        self.allocation = pb.AllocationPolicy(usual_class="gain")
        self.what_if = pb.AskWhatIfResponse(is_open=True)
        self.asked_what_if: list[pb.AskWhatIfRequest] = []
        self.expedited: list[tuple[str, bool]] = []

    def here(self, timeout: float = DEADLINE_S) -> None:
        """Whether it is away is its neighbor's to say."""

    def PutAllocationPolicy(self, request: pb.PutAllocationPolicyRequest) -> pb.PutAllocationPolicyResponse:
        self.here()
        if request.HasField("expected_version"):
            check_seen(self.allocation.version, request.expected_version)
        stored = pb.AllocationPolicy()
        stored.CopyFrom(request.policy)
        stored.version = self.allocation.version
        if stored != self.allocation:
            stored.version += 1
        self.allocation = stored
        return pb.PutAllocationPolicyResponse(policy=stored)

    def GetAllocationPolicy(self, _request: pb.GetAllocationPolicyRequest) -> pb.GetAllocationPolicyResponse:
        self.here()
        return pb.GetAllocationPolicyResponse(policy=self.allocation)

    def ListBackorders(self, request: inventory.ListBackordersRequest) -> inventory.ListBackordersResponse:
        self.here()
        return inventory.ListBackordersResponse(backorders=self.backorders)

    def AskWhatIf(self, request: pb.AskWhatIfRequest) -> pb.AskWhatIfResponse:
        self.here()
        self.asked_what_if.append(request)
        return self.what_if

    def ExpediteOrder(self, request: pb.ExpediteOrderRequest) -> pb.ExpediteOrderResponse:
        self.here()
        self.expedited.append((request.order_id, request.is_expedited))
        return pb.ExpediteOrderResponse(waiting_quantity=3)

    def ReleaseBackorder(self, request: pb.ReleaseBackorderRequest) -> pb.ReleaseBackorderResponse:
        self.here()
        for one in self.backorders:
            if one.backorder_id == request.backorder_id:
                one.is_manual = False
                return pb.ReleaseBackorderResponse(waiting_quantity=one.quantity)
        raise NotFound("BACKORDER_UNKNOWN", "no such backorder waits")
