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
        first = 1 + next((at for at, one in enumerate(found) if one.movement_id == request.cursor), -1)
        shown = found[first : first + request.limit]
        more = shown[-1].movement_id if len(found) > first + request.limit else ""
        return inventory.ListQuarantineResponse(units=shown, next_cursor=more)

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
