"""Is there such a customer, SKU or warehouse at all: asked when a list is empty, which would read as "there is none of it"."""

from __future__ import annotations

from cli.client import Api, segment
from cli.refusals import CommandRefused

_ALL = 1_000_000


def check_customer(api: Api, customer: str | None) -> None:
    """Refuse a customer account that does not exist; None is everybody."""
    if customer is not None:
        api.get(f"/v1/customers/{segment(customer)}")


def check_warehouse(api: Api, warehouse: str | None) -> None:
    """Refuse a warehouse that does not exist, with those that do."""
    known = [row["warehouse_id"] for row in api.get("/v1/warehouses")["rows"]] if warehouse is not None else []
    if warehouse is not None and warehouse not in known:
        raise CommandRefused(f"there is no warehouse {warehouse}: there are {', '.join(known) or 'none yet'}")


def check_sku(api: Api, sku: str | None) -> None:
    """Refuse a SKU that is not in the catalog."""
    if sku is not None and all(row["sku"] != sku for row in api.rows("/v1/products", _ALL)):
        raise CommandRefused(f"there is no SKU {sku} in the catalog: check it, `oms stock` lists what there is")
