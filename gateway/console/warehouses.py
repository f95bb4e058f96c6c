"""What warehouses are called, as inventory says; a shipment names its warehouse by code while inventory is away."""

from __future__ import annotations

from collections.abc import Collection

from gateway.http.plumbing.deps import Deps
from oms.inventory.v1 import inventory_pb2 as pb
from services.orders.domain.facts import Shipment
from services.runtime.grpc_client import Unreachable

_WITHIN_S = 1.5
"""A page is shown without what a neighbor would add: who reads it waits no longer for one that hangs."""


def warehouses_of(deps: Deps) -> tuple[tuple[str, str], ...]:
    """(Code, name) of every warehouse, by name. Raises Unreachable while inventory is away."""
    found = deps.inventory.ListWarehouses(pb.ListWarehousesRequest(), timeout=_WITHIN_S).warehouses
    return tuple(
        sorted(((each.warehouse_id, each.name or each.warehouse_id) for each in found), key=lambda one: one[1])
    )


def warehouse_names(deps: Deps, shipments: Collection[Shipment]) -> dict[str, str]:
    """Code of a warehouse → its name; inventory is asked once, and only when something leaves a warehouse."""
    if not any(each.warehouse_id for each in shipments):
        return {}
    try:
        found = deps.inventory.ListWarehouses(pb.ListWarehousesRequest(), timeout=_WITHIN_S).warehouses
    except Unreachable:
        return {}
    return {each.warehouse_id: each.name or each.warehouse_id for each in found}
