"""The part of FulfillmentService that keeps waves."""

from __future__ import annotations

from grpc import ServicerContext as Context
from sqlmodel import Session

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import fulfillment_pb2_grpc as rpc
from services.fulfillment import plan_waves, wave_wire, wire
from services.fulfillment.domain.waves import by_due_day
from services.fulfillment.store import shipments, waves
from services.kernel.clock import Clock
from services.runtime.db import Database


class WavesServicer(rpc.FulfillmentServiceServicer):
    """Shipments that are picked together."""

    database: Database
    clock: Clock

    def CreateWave(self, request: pb.CreateWaveRequest, context: Context) -> pb.CreateWaveResponse:
        """Put shipments into a wave, once."""
        wanted = wave_wire.wanted(request)

        def act(session: Session) -> pb.CreateWaveResponse:
            return pb.CreateWaveResponse(wave=wave_wire.wave_message(plan_waves.create(session, wanted, self.clock())))

        return self.database.once(request.request_id, request, pb.CreateWaveResponse, act)

    def GetWave(self, request: pb.GetWaveRequest, context: Context) -> pb.GetWaveResponse:
        """A wave with its shipments."""
        with self.database.reading() as session:
            found = waves.get(session, wave_wire.named(request))
            members = shipments.by_ids(session, waves.shipment_ids(session, found.wave_id))
        return pb.GetWaveResponse(
            wave=wave_wire.wave_message(found),
            shipments=[wire.shipment_message(each) for each in by_due_day([*members.values()])],
        )

    def ListWaves(self, request: pb.ListWavesRequest, context: Context) -> pb.ListWavesResponse:
        """A page of waves, the newest first."""
        wanted = wave_wire.wave_filter(request)
        with self.database.reading() as session:
            page, before = waves.page(session, wanted)
        return pb.ListWavesResponse(
            waves=[wave_wire.wave_message(each) for each in page], next_cursor=str(before or "")
        )

    def CancelWave(self, request: pb.CancelWaveRequest, context: Context) -> pb.CancelWaveResponse:
        """Close a wave; what is not picked is in it no more."""
        with self.database.transaction() as session:
            done = plan_waves.cancel(session, wave_wire.named(request), self.clock())
        return pb.CancelWaveResponse(wave=wave_wire.wave_message(done))
