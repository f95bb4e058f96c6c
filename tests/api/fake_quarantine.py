"""What a small inventory keeps apart."""

from __future__ import annotations

from oms.inventory.v1 import inventory_pb2 as inventory
from services.kernel.errors import NotFound, Refused


class Quarantine:
    """Units that came back, by their id, and what was decided of them."""

    def __init__(self) -> None:
        self.units: dict[str, inventory.QuarantinedUnits] = {}
        self.decided: list[inventory.DecideQuarantineRequest] = []

    def listed(self, request: inventory.ListQuarantineRequest) -> inventory.ListQuarantineResponse:
        found = [
            one
            for one in self.units.values()
            if one.quantity and request.warehouse_id in ("", one.warehouse_id) and request.sku in ("", one.sku)
        ]
        return inventory.ListQuarantineResponse(units=found)

    def decide(self, request: inventory.DecideQuarantineRequest) -> inventory.DecideQuarantineResponse:
        found = self.units.get(request.movement_id)
        if found is None:
            raise NotFound("QUARANTINE_UNKNOWN", "no such goods are in quarantine")
        if request.quantity > found.quantity:
            raise Refused("MORE_THAN_QUARANTINED", f"{found.quantity} units are still undecided")
        self.decided.append(request)
        found.quantity -= request.quantity
        return inventory.DecideQuarantineResponse(
            decision_id=f"mov_{len(self.decided)}", value=found.value, left_quantity=found.quantity
        )
