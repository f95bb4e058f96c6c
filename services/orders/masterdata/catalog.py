"""The catalog: SKUs with their list prices and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.orders.domain.masterdata import Product
from services.orders.masterdata import taxes
from services.orders.store import masterdata as store
from services.runtime.versioned import is_unchanged


def put_product(session: Session, product: Product, who: str, now: datetime, expected: int | None = None) -> Product:
    """Keep a SKU, in the spelling that it was kept first; list price and standard cost must be of one currency.

    The same product again changes nothing. Refused VERSION_STALE for another version than the `expected` one.
    """
    price, cost = product.list_price, product.standard_cost
    if price and cost and price.currency != cost.currency:
        raise InvalidArgument("CURRENCY_MIXED", "list price and standard cost must be in one currency")
    taxes.check_category(session, product.tax_category)
    kept = replace(product, sku=known_sku(session, product.sku))
    known = find_product(session, kept.sku)
    if known is not None and is_unchanged(known, kept, expected):
        return known
    return store.put_product(session, kept, who, now, expected)


def find_product(session: Session, sku: str) -> Product | None:
    """The product of a SKU, however it was typed; None when the catalog does not have it."""
    written = known_sku(session, sku)
    return store.products_of(session, [written]).get(written)


def known_sku(session: Session, sku: str) -> str:
    """A SKU as the catalog writes it, however it was typed."""
    return store.known_skus(session, [sku])[sku]


def known_skus(session: Session, skus: Sequence[str]) -> dict[str, str]:
    """SKU as it was typed → as the catalog writes it; one that the catalog does not have is only cleaned."""
    return store.known_skus(session, skus)


def list_products(session: Session, *, after: str = "", limit: int = 100) -> list[Product]:
    """The catalog by SKU, behind `after`."""
    return store.products(session, after=after, limit=limit)


def products_of(session: Session, skus: Sequence[str]) -> dict[str, Product]:
    """SKU → product, of those that the catalog has."""
    return store.products_of(session, skus)
