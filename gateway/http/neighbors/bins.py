"""Bins: where in a warehouse a SKU lies."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from gateway.http.neighbors.stock import known_sku
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.inputs import PRINTABLE, TIDY, Identity, Input, Sku, example
from gateway.http.plumbing.paging import Page, PagingOf
from gateway.http.plumbing.parameters import OfSku, OfWarehouse
from oms.inventory.v1 import bins_pb2 as pb
from services.kernel.errors import NotFound, Refused
from services.orders.masterdata import catalog

router = APIRouter(tags=["stock"])

MOST_BINS = 500
_SKUS = 1000
BinName = Annotated[str, StringConstraints(max_length=32, pattern=PRINTABLE), TIDY]


class BinInput(Input):
    """Where a SKU lies in a warehouse."""

    warehouse_id: Identity
    sku: Sku
    bin: BinName = Field(
        description="Letters, digits, blanks and . / _ -, kept in capitals; empty takes away what was said before."
    )

    model_config = example(warehouse_id="wh_dallas", sku="PUMP-100", bin="A-01-3")


class BinsInput(Input):
    """Where SKUs lie; what is not named stays where it is."""

    bins: Annotated[list[BinInput], Field(min_length=1, max_length=MOST_BINS)]

    model_config = example(bins=[{"warehouse_id": "wh_dallas", "sku": "PUMP-100", "bin": "A-01-3"}])


class BinsStored(BaseModel):
    """What that changed."""

    changed_count: int = Field(description="SKUs that lie elsewhere now, or of which nothing was said before.")


class Bin(BaseModel):
    """Where a SKU lies in a warehouse."""

    warehouse_id: str
    sku: str
    bin: str


@router.get("/v1/stock/bins")
def list_bins(
    deps: DepsOf, _who: CallerOf, paging: PagingOf, sku: OfSku = None, warehouse_id: OfWarehouse = None
) -> Page[Bin]:
    """Where SKUs lie, by SKU, then warehouse."""
    skus = [known_sku(deps, sku)] if sku else []
    wanted = pb.ListBinsRequest(warehouse_id=warehouse_id or "", skus=skus, limit=paging.limit, cursor=paging.cursor)
    found = deps.inventory.ListBins(wanted)
    rows = [Bin(warehouse_id=one.warehouse_id, sku=one.sku, bin=one.bin) for one in found.bins]
    return Page(rows=rows, next_cursor=found.next_cursor or None)


@router.put("/v1/stock/bins")
def put_bins(deps: DepsOf, _who: CallerOf, body: BinsInput) -> BinsStored:
    """Say where SKUs lie, one bin of a SKU in a warehouse: all of them or none. The same again changes nothing."""
    return put(deps, body)


def put(deps: Deps, body: BinsInput) -> BinsStored:
    """Have inventory keep bins of products that are stocked."""
    with deps.database.reading() as session:
        known = catalog.known_skus(session, [one.sku for one in body.bins])
        products = catalog.products_of(session, sorted(set(known.values())))
    for sku in known.values():
        if sku not in products:
            raise NotFound(
                "PRODUCT_UNKNOWN", f"there is no product {sku}: check the SKU, or add it to the catalog first"
            )
        if not products[sku].is_stocked:
            raise Refused("PRODUCT_NOT_STOCKED", f"{sku} is a service: it lies in no bin")
    given = [pb.Bin(warehouse_id=one.warehouse_id, sku=known[one.sku], bin=one.bin) for one in body.bins]
    return BinsStored(changed_count=deps.inventory.PutBins(pb.PutBinsRequest(bins=given)).changed_count)


def bins_of(deps: Deps, warehouse_id: str, skus: Collection[str]) -> dict[str, str]:
    """SKU → its bin in a warehouse, of those that have one."""
    wanted, found = sorted(set(skus)), dict[str, str]()
    for start in range(0, len(wanted), _SKUS):
        some = wanted[start : start + _SKUS]
        page = deps.inventory.ListBins(pb.ListBinsRequest(warehouse_id=warehouse_id, skus=some, limit=_SKUS))
        found |= {one.sku: one.bin for one in page.bins}
    return found
