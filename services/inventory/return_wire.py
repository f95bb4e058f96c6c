"""Goods that come back: protobuf to domain, shapes checked."""

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory.domain.returned import FACTS, Back, BackUnits
from services.inventory.wire import identity, sku
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import positive
from services.kernel.text import text


def back(request: pb.TakeReturnRequest) -> Back:
    """What came back."""
    if not 1 <= len(request.units) <= MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"from 1 to {MAX_LINES} kinds of units come back at once")
    units = tuple(
        BackUnits(sku(one.sku), positive(one.quantity, "quantity"), _disposition(one.disposition))
        for one in request.units
    )
    if len({(one.sku, one.disposition) for one in units}) < len(units):
        raise InvalidArgument("LINE_TWICE", "each SKU and disposition may come once: add the quantities up")
    return Back(
        text(request.request_id, "request_id"),
        identity(request.order_id, "order_id"),
        identity(request.return_id, "return_id"),
        identity(request.warehouse_id, "warehouse_id"),
        units,
    )


def _disposition(given: str) -> str:
    if given not in FACTS:
        raise InvalidArgument("DISPOSITION_UNKNOWN", f"a disposition is one of {', '.join(FACTS)}, not {given[:40]!r}")
    return given
