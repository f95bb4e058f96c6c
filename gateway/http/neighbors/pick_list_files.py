"""Pick lists of waves as files."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.http.neighbors.pick_lists import to_pick
from gateway.http.neighbors.waves import WaveReference, pick_list_of
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.files import DEADLINE_S, PdfResponse, as_file, described
from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.inventory.v1 import inventory_pb2 as inventory
from services.orders.masterdata import people

router = APIRouter(tags=["shipments"])

_REFUSED = (
    "`NOTHING_TO_PICK`: all of it is picked, or canceled. `DOCUMENTS_BUSY`: ask again in a few seconds. "
    "`DOCUMENT_NOT_MADE`: it is too long to be made."
)


@router.get("/v1/waves/{wave}/pick-list.pdf", response_class=PdfResponse, responses=described(PdfResponse, _REFUSED))
def get_pick_list(deps: DepsOf, _who: CallerOf, wave: WaveReference) -> Response:
    """What is still to be picked of a wave as a PDF: by bin, with barcodes of the wave and of its shipments (Code 128)."""
    return pick_list_file(deps, wave)


def pick_list_file(deps: Deps, wave: str) -> Response:
    """The pick list of a wave, by id or number."""
    found = deps.fulfillment.GetWave(pb.GetWaveRequest(wave=wave))
    places = deps.inventory.ListWarehouses(inventory.ListWarehousesRequest()).warehouses
    names = {one.warehouse_id: one.name for one in places}
    with deps.database.reading() as session:
        picker = people.names_of(session, {found.wave.picker}).get(found.wave.picker)
    wanted = billing.RenderPickListRequest(
        number=found.wave.number,
        warehouse=names.get(found.wave.warehouse_id) or found.wave.warehouse_id,
        picker=picker or found.wave.picker,
        lines=[
            billing.PickListLine(
                bin=line.bin,
                sku=line.sku,
                description=line.description,
                takes=[billing.PickListTake(shipment_number=to, quantity=units) for to, units in line.takes.items()],
            )
            for line in pick_list_of(deps, found)
        ],
        shipments=[
            billing.PickListShipment(number=one.number, order_number=one.order_number, promised_on=one.promised_on)
            for one in to_pick(found.shipments)
        ],
    )
    made = deps.billing.RenderPickList(wanted, timeout=DEADLINE_S)
    return as_file(PdfResponse, made.pdf, made.name)
