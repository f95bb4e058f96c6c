"""Products: the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, StoredVersion, merged, on_newest, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Currency, Input, Name, Price, Quantity, Sku, Switch, TaxCategory, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.money import UnitPrice
from services.orders.access.matrix import Caller
from services.orders.domain.masterdata import Product
from services.orders.masterdata import catalog

router = APIRouter(tags=["master data"])


class ProductInput(Input):
    """A SKU; the same one replaces it."""

    sku: Sku
    description: Name
    kind: Literal["stock", "build_to_order", "service"] = "stock"
    currency: Currency | None = Field(default=None, description="Of its prices; needed where there is one.")
    list_price: Price | None = None
    standard_cost: Price | None = Field(default=None, description="Of one unit; margins are reckoned from it.")
    weight_grams: Annotated[int, Field(strict=True, ge=0, le=100_000_000)] = Field(
        default=0, description="Of one unit; carriers charge by it."
    )
    multiple: Quantity = Field(default=1, description="Sold in multiples of this.")
    min_quantity: Quantity = Field(default=1, description="The fewest units of an order line.")
    is_sellable: Switch = True
    is_returnable: Switch = Field(
        default=True, description="Whether customers may send it back; read when a return is asked for."
    )
    is_hazardous: Switch = Field(
        default=False,
        description="Dangerous goods: warehouses whose sourcing terms exclude them give none of it. Order lines keep what it was.",
    )
    lead_days: Annotated[int, Field(strict=True, ge=0, le=1000)] = Field(
        default=0, description="Working days of the plant from being asked until it is ready."
    )
    tax_category: TaxCategory = Field(
        default="standard",
        description="standard, reduced, super_reduced, parking, zero, or one that a tax rate names; a place without a rate "
        "for it taxes it as standard.",
    )
    version: SeenVersion = None

    model_config = example(
        sku="PUMP-100",
        description="Centrifugal pump 1 hp",
        currency="USD",
        list_price="135.00",
        standard_cost="79.40",
        weight_grams=14500,
    )


if TYPE_CHECKING:
    ProductPatch = Input
else:
    ProductPatch = partial("ProductPatch", ProductInput, ("sku",), sku="PUMP-100", list_price="139.00", currency="USD")


class ProductShape(BaseModel):
    """A SKU of the catalog."""

    sku: str
    description: str
    kind: str
    currency: str | None = Field(description="Of its prices; null where no price is shown.")
    list_price: str | None = Field(description="Null when there is none, or for who sees no prices.")
    standard_cost: str | None = Field(description="Null as list_price is.")
    weight_grams: int
    multiple: int
    min_quantity: int
    is_sellable: bool
    is_returnable: bool
    is_hazardous: bool
    lead_days: int
    tax_category: str
    version: StoredVersion


@router.get("/v1/products")
def list_products(deps: DepsOf, who: CallerOf, paging: PagingOf) -> Page[ProductShape]:
    """The catalog by SKU."""
    with deps.database.reading() as session:
        found = catalog.list_products(session, after=paging.after("products"), limit=paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, lambda row: sealed("products", row.sku))
    return Page(rows=[_shape(row, who) for row in page], next_cursor=next_cursor)


@router.post("/v1/products", response_model=ProductShape)
def put_product(deps: DepsOf, who: CallerOf, body: ProductInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Create or replace a SKU; placed orders keep their snapshot. It takes what the list gives, which changes nothing."""

    def put(session: Session) -> ProductShape:
        expected = expected_version(body.version, if_match)
        product = catalog.put_product(session, _product(body), who.principal.sub, deps.clock(), expected)
        return _shape(product, who)

    return once.answer_here(body, put)


@router.patch("/v1/products", responses=ETAG)
def change_product(
    deps: DepsOf, who: CallerOf, body: ProductPatch, if_match: IfMatch, response: Response
) -> ProductShape:
    """Change what is named of a SKU; everything else of it stays."""
    sent = body.model_dump(exclude_unset=True)
    expected = expected_version(sent.get("version"), if_match)

    def edit() -> ProductShape:
        with deps.database.transaction() as session:
            stands = catalog.find_product(session, sent["sku"])
            if stands is None:
                raise NotFound("PRODUCT_UNKNOWN", "the catalog has no such SKU: POST it first")
            whole = merged(_shape(stands, who), body, ProductInput)
            seen = stands.version if expected is None else expected
            return _shape(catalog.put_product(session, _product(whole), who.principal.sub, deps.clock(), seen), who)

    changed = on_newest(edit, expected)
    tag(response, changed.version)
    return changed


def _product(body: ProductInput) -> Product:
    def price(text: str | None) -> UnitPrice | None:
        if text is not None and body.currency is None:
            raise InvalidArgument("CURRENCY_MISSING", "name the currency of the prices")
        return UnitPrice.parse(text, body.currency or "") if text is not None else None

    plain = body.model_dump(exclude={"version", "currency", "list_price", "standard_cost"})
    return Product(**plain, list_price=price(body.list_price), standard_cost=price(body.standard_cost))


def _shape(product: Product, who: Caller) -> ProductShape:
    prices = (product.list_price, product.standard_cost) if who.sees_money else (None, None)
    list_price, standard_cost = prices
    priced = list_price or standard_cost
    return ProductShape(
        sku=product.sku,
        description=product.description,
        kind=product.kind,
        currency=priced.currency if priced else None,
        list_price=list_price.text if list_price else None,
        standard_cost=standard_cost.text if standard_cost else None,
        weight_grams=product.weight_grams,
        multiple=product.multiple,
        min_quantity=product.min_quantity,
        is_sellable=product.is_sellable,
        is_returnable=product.is_returnable,
        is_hazardous=product.is_hazardous,
        lead_days=product.lead_days,
        tax_category=product.tax_category,
        version=product.version,
    )
