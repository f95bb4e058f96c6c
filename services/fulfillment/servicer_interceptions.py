"""The part of FulfillmentService that has parcels stopped on their way."""

from __future__ import annotations

from grpc import ServicerContext as Context

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from services.fulfillment import intercept_shipments, interception_wire, wire
from services.fulfillment.carriers import CarrierAway, Carriers
from services.fulfillment.domain.interception import ASKED
from services.fulfillment.domain.shipment import Shipment
from services.fulfillment.store import shipments
from services.kernel.clock import Clock
from services.kernel.errors import Conflict, Refused
from services.kernel.text import optional_text, text
from services.runtime.db import Database


class InterceptionsServicer(rpc.FulfillmentServiceServicer):
    """Parcels stopped on their way."""

    database: Database
    clock: Clock
    carriers: Carriers | None = None

    def InterceptShipment(self, request: pb.InterceptShipmentRequest, context: Context) -> pb.InterceptShipmentResponse:
        """Ask the carrier, outside of any transaction, and keep what it said; a repeat asks again only while nobody knows."""
        shipment_id, reason = wire.shipment_id(request.shipment_id), text(request.reason, "reason", 500)
        who, said = (
            optional_text(request.asked_by, "asked_by"),
            interception_wire.carrier_answer(request.carrier_answer),
        )
        if not said and self.carriers is None:
            self._check_asked(shipment_id)
        with self.database.transaction() as session:
            found = intercept_shipments.ask(session, shipment_id, who, reason, self.clock())
        if found.interception is not None and found.interception.state == ASKED:
            said_of_each = [said] * len(found.packages) if said else self._ask(found)
            with self.database.transaction() as session:
                found = intercept_shipments.answer(session, shipment_id, said_of_each, self.clock())
        return pb.InterceptShipmentResponse(shipment=wire.shipment_message(found))

    def _check_asked(self, shipment_id: str) -> None:
        """Nobody is asked of what has an answer; anything else needs one who can ask."""
        with self.database.reading() as session:
            found = shipments.get(session, shipment_id)
        if found.interception is None or found.interception.state == ASKED:
            raise Refused(
                "CARRIER_NOT_CONNECTED",
                f"no carrier is asked from here: call {found.carrier or 'the carrier'} about {found.number}, and say what it answered",
            )

    def _ask(self, shipment: Shipment) -> list[str]:
        """What the carrier says of each package, in their order."""
        assert self.carriers is not None, "it was looked at before"
        try:
            return [
                self.carriers.intercept(
                    f"intercept/{shipment.shipment_id}" + (f"/{each.number}" if each.number > 1 else ""),
                    shipment.carrier,
                    each.tracking_number,
                )
                for each in shipment.packages
            ]
        except CarrierAway as away:
            sentence = f"{shipment.carrier} has not answered yet about {shipment.number}: ask again"
            raise Conflict("CARRIER_AWAY", sentence) from away
