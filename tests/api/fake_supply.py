"""The part of the small inventory that keeps announced supply in memory."""

from __future__ import annotations

from oms.inventory.v1 import inventory_pb2 as inventory
from oms.inventory.v1 import supply_pb2 as pb
from services.kernel.errors import NotFound, Refused
from tests.api.neighbor import Neighbor


class FakeSupply(Neighbor):
    """Expected receipts by id, movements and takers as a test prepares them."""

    def __init__(self) -> None:
        super().__init__()
        self.receipts: dict[str, pb.ExpectedReceipt] = {}
        self.movements: list[pb.Movement] = []
        self.outlook = pb.GetSupplyOutlookResponse()

    def ExpectReceipt(self, request: inventory.ExpectReceiptRequest) -> inventory.ExpectReceiptResponse:
        def act() -> inventory.ExpectReceiptResponse:
            named = [one for one in self.receipts.values() if one.reference == request.reference]
            identity = named[0].expected_receipt_id if named else f"exp_{next(self._ids)}"
            self.receipts[identity] = pb.ExpectedReceipt(
                expected_receipt_id=identity,
                warehouse_id=request.warehouse_id,
                sku=request.sku,
                kind=request.kind or "purchase_order",
                reference=request.reference,
                quantity=request.quantity,
                remaining_quantity=request.quantity,
                expected_on=request.expected_on,
            )
            return inventory.ExpectReceiptResponse(expected_receipt_id=identity, is_known=bool(named))

        return self.once(request, act)

    def ChangeExpectedReceipt(self, request: pb.ChangeExpectedReceiptRequest) -> pb.ChangeExpectedReceiptResponse:
        def act() -> pb.ChangeExpectedReceiptResponse:
            known = self._known(request.expected_receipt_id)
            known.expected_on = request.expected_on or known.expected_on
            known.quantity = request.quantity or known.quantity
            known.remaining_quantity = request.quantity or known.remaining_quantity
            return pb.ChangeExpectedReceiptResponse(receipt=known, moved_order_count=1)

        return self.once(request, act)

    def CancelExpectedReceipt(self, request: pb.CancelExpectedReceiptRequest) -> pb.CancelExpectedReceiptResponse:
        def act() -> pb.CancelExpectedReceiptResponse:
            known = self._known(request.expected_receipt_id)
            if not known.remaining_quantity:
                raise Refused("NOTHING_TO_COME", "nothing more is to come of it")
            known.cancelled_quantity, known.remaining_quantity = known.remaining_quantity, 0
            return pb.CancelExpectedReceiptResponse(receipt=known, moved_order_count=1)

        return self.once(request, act)

    def ListExpectedReceipts(self, request: pb.ListExpectedReceiptsRequest) -> pb.ListExpectedReceiptsResponse:
        self.here()
        found = [
            one
            for one in sorted(self.receipts.values(), key=lambda each: each.expected_on)
            if request.sku in ("", one.sku)
            and request.reference in ("", one.reference)
            and (request.is_all or one.remaining_quantity)
        ]
        return pb.ListExpectedReceiptsResponse(receipts=found)

    def ListMovements(self, request: pb.ListMovementsRequest) -> pb.ListMovementsResponse:
        self.here()
        return pb.ListMovementsResponse(movements=[one for one in self.movements if one.sku == request.sku])

    def GetSupplyOutlook(self, request: pb.GetSupplyOutlookRequest) -> pb.GetSupplyOutlookResponse:
        self.here()
        return self.outlook

    def _known(self, expected_receipt_id: str) -> pb.ExpectedReceipt:
        if expected_receipt_id not in self.receipts:
            raise NotFound("EXPECTED_RECEIPT_UNKNOWN", "look for its id in the list of expected receipts")
        return self.receipts[expected_receipt_id]
