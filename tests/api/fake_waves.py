"""What a small warehouse knows of waves."""

from __future__ import annotations

from typing import Any

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.kernel.errors import NotFound, Refused
from tests.api.neighbor import Neighbor


class Waves(Neighbor):
    """Waves by number, each with the ids of its shipments."""

    shipments: dict[str, pb.Shipment]

    def __init__(self) -> None:
        super().__init__()
        self.waves: dict[str, tuple[pb.Wave, list[str]]] = {}
        self.waves_asked: list[pb.CreateWaveRequest] = []

    def CreateWave(self, request: pb.CreateWaveRequest) -> pb.CreateWaveResponse:
        return self.once(request, lambda: self._made(request))

    def _made(self, request: pb.CreateWaveRequest) -> pb.CreateWaveResponse:
        self.waves_asked.append(request)
        here = [
            one.shipment_id
            for one in self.shipments.values()
            if one.warehouse_id == request.warehouse_id and one.state == pb.SHIPMENT_STATE_RELEASED
        ]
        ids = list(request.shipment_ids) or here[: request.next]
        if not ids:
            raise Refused("NOTHING_TO_PICK", f"nothing in {request.warehouse_id} is to be picked")
        number = f"WV-{1001 + len(self.waves)}"
        wave = pb.Wave(
            wave_id=f"wav_{number}", number=number, warehouse_id=request.warehouse_id, picker=request.picker,
            created_by=request.created_by, created_at_micros=1_780_000_000_000_000,
        )  # fmt: skip
        self.waves[number] = (wave, ids)
        return pb.CreateWaveResponse(wave=self._standing(number)[0])

    def GetWave(self, request: pb.GetWaveRequest) -> pb.GetWaveResponse:
        wave, shipments = self._standing(request.wave.removeprefix("wav_").upper())
        return pb.GetWaveResponse(wave=wave, shipments=shipments)

    def ListWaves(self, request: pb.ListWavesRequest) -> pb.ListWavesResponse:
        found = [self._standing(number)[0] for number in reversed(self.waves)]
        shown = [
            one for one in found if (request.is_all or one.is_open) and request.warehouse_id in ("", one.warehouse_id)
        ]
        return pb.ListWavesResponse(waves=shown)

    def CancelWave(self, request: pb.CancelWaveRequest) -> pb.CancelWaveResponse:
        number = request.wave.removeprefix("wav_").upper()
        wave, shipments = self._standing(number)
        wave.is_cancelled = True
        left = [one.shipment_id for one in shipments if one.state != pb.SHIPMENT_STATE_RELEASED]
        self.waves[number] = (wave, left)
        return pb.CancelWaveResponse(wave=self._standing(number)[0])

    def _standing(self, number: str) -> tuple[pb.Wave, list[Any]]:
        if number not in self.waves:
            raise NotFound("WAVE_NOT_FOUND", f"there is no wave {number}: list the waves to find it")
        wave, ids = self.waves[number]
        shipments = [self.shipments[one] for one in ids]
        wave.shipment_count = len(ids)
        wave.to_pick_count = sum(one.state == pb.SHIPMENT_STATE_RELEASED for one in shipments)
        wave.is_open = wave.to_pick_count > 0
        wave.closed_at_micros = 0 if wave.is_open else 1_780_000_060_000_000
        return wave, shipments
