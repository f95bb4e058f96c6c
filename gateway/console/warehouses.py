"""What warehouses are called, as inventory says; a shipment names its warehouse by code while inventory is away."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gateway.http.plumbing.deps import Deps
from oms.inventory.v1 import inventory_pb2 as pb
from services.runtime.grpc_client import Unreachable

_WITHIN_S = 1.5
"""A page is shown without what a neighbor would add: who reads it waits no longer for one that hangs."""


class _Sent(Protocol):
    """What may leave a warehouse; empty for what is sent from none."""

    @property
    def warehouse_id(self) -> str: ...


def warehouses_of(deps: Deps) -> tuple[tuple[str, str], ...]:
    """(Code, name) of every warehouse, by name. Raises Unreachable while inventory is away."""
    found = deps.inventory.ListWarehouses(pb.ListWarehousesRequest(), timeout=_WITHIN_S).warehouses
    return tuple(
        sorted(((each.warehouse_id, each.name or each.warehouse_id) for each in found), key=lambda one: one[1])
    )


def known_names(deps: Deps) -> dict[str, str]:
    """Code of a warehouse → its name, by name; empty while inventory is away."""
    try:
        return dict(warehouses_of(deps))
    except Unreachable:
        return {}


def warehouse_names(deps: Deps, shipments: Collection[_Sent]) -> dict[str, str]:
    """Code of a warehouse → its name; inventory is asked once, and only when something leaves a warehouse."""
    return known_names(deps) if any(each.warehouse_id for each in shipments) else {}
