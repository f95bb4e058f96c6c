"""What a small inventory knows of bins."""

from __future__ import annotations

from oms.inventory.v1 import bins_pb2 as pb


class Bins:
    """(SKU, warehouse) → its bin."""

    def __init__(self) -> None:
        self.bins: dict[tuple[str, str], str] = {}

    def PutBins(self, request: pb.PutBinsRequest) -> pb.PutBinsResponse:
        before = dict(self.bins)
        for one in request.bins:
            self.bins[one.sku, one.warehouse_id] = one.bin.upper()
        self.bins = {key: name for key, name in self.bins.items() if name}
        changed = {key for key in before.keys() | self.bins.keys() if before.get(key) != self.bins.get(key)}
        return pb.PutBinsResponse(changed_count=len(changed))

    def ListBins(self, request: pb.ListBinsRequest) -> pb.ListBinsResponse:
        found = [
            pb.Bin(warehouse_id=place, sku=sku, bin=name)
            for (sku, place), name in sorted(self.bins.items())
            if request.warehouse_id in ("", place) and (not request.skus or sku in request.skus)
        ]
        return pb.ListBinsResponse(bins=found[: request.limit or 200])
