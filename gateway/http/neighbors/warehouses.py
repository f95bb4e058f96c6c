"""Warehouses: where stock stands."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import AddressInput, Identity, Input, Name, Switch, example
from gateway.http.plumbing.paging import Page
from gateway.http.plumbing.shapes import AddressShape
from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2 as types

router = APIRouter(tags=["master data"])


class WarehouseInput(Input):
    """A warehouse; the same id replaces it."""

    warehouse_id: Identity = Field(examples=["wh_dallas"])
    name: Name
    kind: Literal["own", "store", "third_party"]
    address: AddressInput
    is_active: Switch = Field(default=True, description="A closed warehouse receives no new allocations.")

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


class Warehouse(BaseModel):
    """A place that holds stock."""

    warehouse_id: str
    name: str
    kind: str
    address: AddressShape
    is_active: bool


@router.get("/v1/warehouses")
def list_warehouses(deps: DepsOf, _who: CallerOf) -> Page[Warehouse]:
    """Every warehouse by id."""
    found = deps.inventory.ListWarehouses(pb.ListWarehousesRequest())
    return Page(rows=[_warehouse(row) for row in found.warehouses], next_cursor=None)


@router.post("/v1/warehouses", response_model=Warehouse)
def put_warehouse(deps: DepsOf, body: WarehouseInput, once: OnceOf) -> Response:
    """Create or replace a warehouse; one that opens again serves who waits."""

    def act(_request_id: str) -> Warehouse:
        address = types.Address(**body.address.model_dump())
        wanted = pb.Warehouse(address=address, **body.model_dump(exclude={"address"}))
        return _warehouse(deps.inventory.PutWarehouse(pb.PutWarehouseRequest(warehouse=wanted)).warehouse)

    return once.answer(body, act)


def _warehouse(row: pb.Warehouse) -> Warehouse:
    return Warehouse(
        warehouse_id=row.warehouse_id,
        name=row.name,
        kind=row.kind,
        address=AddressShape.of_proto(row.address),
        is_active=row.is_active,
    )
