"""Recalls as the fake warehouse keeps them: asked once, answered once."""

from __future__ import annotations

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import InvalidArgument, NotFound, Refused


class Recalls:
    """Recall id → recall."""

    def __init__(self) -> None:
        self.by_id: dict[str, pb.Recall] = {}

    def ask_back(self, recall_id: str, shipment: pb.Shipment, quantity: int) -> None:
        """Let a recall of a shipment wait for its answer."""
        line = pb.RecallLine(
            shipment_id=shipment.shipment_id, shipment_number=shipment.number, line_id="1", sku="A", quantity=quantity
        )
        shipment.recall_requested = True
        self.by_id[recall_id] = pb.Recall(
            recall_id=recall_id,
            order_id=shipment.order_id,
            order_number="SO-1001",
            change_id="chg_1",
            state=pb.RECALL_STATE_PENDING,
            requested_at_micros=1_780_000_000_000_000,
            lines=[line],
        )

    def pending(self, order_id: str) -> list[pb.Recall]:
        """Those that wait for an answer, of one order when it is named."""
        return [
            row
            for row in self.by_id.values()
            if row.state == pb.RECALL_STATE_PENDING and order_id in ("", row.order_id)
        ]

    def answer(self, request: pb.AnswerRecallRequest) -> pb.Recall:
        """The recall with its answer; refused like the warehouse refuses."""
        if request.recall_id not in self.by_id:
            raise NotFound("RECALL_NOT_FOUND", "there is no such recall")
        if not request.is_acknowledged and not request.reason.strip():
            raise InvalidArgument("REASON_MISSING", "a refusal needs a reason")
        recall = self.by_id[request.recall_id]
        if recall.state != pb.RECALL_STATE_PENDING:
            raise Refused("RECALL_ANSWERED", "the recall is answered already")
        recall.state = pb.RECALL_STATE_ACKNOWLEDGED if request.is_acknowledged else pb.RECALL_STATE_REFUSED
        recall.reason, recall.answered_at_micros = request.reason, 1_780_000_060_000_000
        return recall
