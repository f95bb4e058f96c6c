"""Warehouses: where stock stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, StoredVersion, merged, on_newest, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import AddressInput, Identity, Input, Name, Switch, example
from gateway.http.plumbing.paging import Page
from gateway.http.plumbing.shapes import AddressShape
from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound

router = APIRouter(tags=["master data"])


class WarehouseInput(Input):
    """A warehouse; the same id replaces it."""

    warehouse_id: Identity = Field(examples=["wh_dallas"])
    name: Name
    kind: Literal["own", "store", "third_party"]
    address: AddressInput
    is_active: Switch = Field(default=True, description="A closed warehouse receives no new allocations.")
    version: SeenVersion = None

    model_config = example(
        warehouse_id="wh_dallas",
        name="Dallas",
        kind="own",
        address={
            "name": "Northgate Dallas",
            "street": "2400 Irving Boulevard",
            "city": "Dallas",
            "region": "TX",
            "postal_code": "75207",
            "country": "US",
        },
    )


if TYPE_CHECKING:
    WarehousePatch = Input
else:
    WarehousePatch = partial(
        "WarehousePatch", WarehouseInput, ("warehouse_id",), warehouse_id="wh_dallas", is_active=False
    )


class Warehouse(BaseModel):
    """A place that holds stock."""

    warehouse_id: str
    name: str
    kind: str
    address: AddressShape
    is_active: bool
    version: StoredVersion


@router.get("/v1/warehouses")
def list_warehouses(deps: DepsOf, _who: CallerOf) -> Page[Warehouse]:
    """Every warehouse by id."""
    found = deps.inventory.ListWarehouses(pb.ListWarehousesRequest())
    return Page(rows=[_warehouse(row) for row in found.warehouses], next_cursor=None)


@router.post("/v1/warehouses", response_model=Warehouse)
def put_warehouse(deps: DepsOf, body: WarehouseInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Create or replace a warehouse; one that opens again serves who waits.

    One that closes keeps what it has promised: units that are allocated there still leave, and who waits for its stock waits on.
    """

    def act(_request_id: str) -> Warehouse:
        return _put(deps, body, expected_version(body.version, if_match))

    return once.answer(body, act)


@router.patch("/v1/warehouses", responses=ETAG)
def change_warehouse(
    deps: DepsOf, _who: CallerOf, body: WarehousePatch, if_match: IfMatch, response: Response
) -> Warehouse:
    """Change what is named of a warehouse; everything else of it stays. An address that is named is the whole address."""
    sent = body.model_dump(exclude_unset=True)
    expected = expected_version(sent.get("version"), if_match)

    def edit() -> Warehouse:
        every = deps.inventory.ListWarehouses(pb.ListWarehousesRequest()).warehouses
        stands = next((row for row in every if row.warehouse_id == sent["warehouse_id"]), None)
        if stands is None:
            raise NotFound("WAREHOUSE_UNKNOWN", "there is no such warehouse: POST it first")
        whole = merged(_warehouse(stands), body, WarehouseInput)
        return _put(deps, whole, stands.version if expected is None else expected)

    changed = on_newest(edit, expected)
    tag(response, changed.version)
    return changed


def _put(deps: Deps, body: WarehouseInput, expected: int | None) -> Warehouse:
    address = types.Address(**body.address.model_dump())
    wanted = pb.Warehouse(address=address, **body.model_dump(exclude={"address", "version"}))
    request = pb.PutWarehouseRequest(warehouse=wanted, expected_version=expected)
    return _warehouse(deps.inventory.PutWarehouse(request).warehouse)


def _warehouse(row: pb.Warehouse) -> Warehouse:
    return Warehouse(
        warehouse_id=row.warehouse_id,
        name=row.name,
        kind=row.kind,
        address=AddressShape.of_proto(row.address),
        is_active=row.is_active,
        version=row.version,
    )
