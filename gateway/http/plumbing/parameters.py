"""Parameters that many operations take: ids in paths, and filters of lists."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from gateway.http.plumbing.inputs import IDENTITY, Identity, Sku


def path_id(description: str, *examples: str) -> Any:
    """An id in a path."""
    return Path(pattern=IDENTITY, max_length=64, description=description, examples=list(examples) or None)


OrderReference = Annotated[str, path_id("The order's id or its number.", "SO-1001")]
OfOrder = Annotated[Identity | None, Query(description="Only of the order with this id.")]
OfCustomer = Annotated[Identity | None, Query(description="Only of the customer account with this id.")]
OfNumber = Annotated[Identity | None, Query(description="Only the one with this number.")]
OfSku = Annotated[Sku | None, Query(description="Only of this SKU.")]
OfWarehouse = Annotated[Identity | None, Query(description="Only of the warehouse with this id.")]
