"""Price agreements: what a customer pays for a SKU, and when."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Currency, Day, Identity, Input, Price, Sku, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import OfCustomer
from services.kernel.errors import InvalidArgument
from services.kernel.money import UnitPrice
from services.orders.domain.masterdata import PriceAgreement
from services.orders.masterdata import prices

router = APIRouter(tags=["master data"])


class PriceInput(Input):
    """An agreement; the same customer, SKU and first day replace it."""

    customer_id: Identity
    sku: Sku
    price: Price = Field(description="Of one unit.")
    currency: Currency
    valid_from: Day
    valid_to: Day | None = Field(default=None, description="The last day; without one it stands until it is replaced.")

    model_config = example(
        customer_id="cus_acme", sku="PUMP-100", price="129.00", currency="USD", valid_from="2026-01-01"
    )


class PriceShape(BaseModel):
    """An agreement."""

    customer_id: str
    sku: str
    price: str
    currency: str
    valid_from: str
    valid_to: str | None


@router.get("/v1/prices")
def list_prices(deps: DepsOf, who: CallerOf, paging: PagingOf, customer_id: OfCustomer = None) -> Page[PriceShape]:
    """Agreements by customer, SKU and first day; a sales representative sees those of the assigned customers."""
    with deps.database.reading() as session:
        found = prices.list_agreements(
            session,
            who.scope,
            customer_id=customer_id or "",
            after=_after(paging.after("prices")),
            limit=paging.limit + 1,
        )
    page, next_cursor = cut(found, paging.limit, _cursor)
    return Page(rows=[_shape(row) for row in page], next_cursor=next_cursor)


@router.post("/v1/prices", response_model=PriceShape)
def put_price(deps: DepsOf, who: CallerOf, body: PriceInput, once: OnceOf) -> Response:
    """Create or replace an agreement, in the customer's currency."""

    def act(_request_id: str) -> PriceShape:
        agreement = PriceAgreement(
            customer_id=body.customer_id,
            sku=body.sku,
            price=UnitPrice.parse(body.price, body.currency),
            valid_from=body.valid_from,
            valid_to=body.valid_to,
        )
        with deps.database.transaction() as session:
            return _shape(prices.put_agreement(session, agreement, who.principal.sub, deps.clock()))

    return once.answer(body, act)


def _cursor(agreement: PriceAgreement) -> str:
    return sealed("prices", f"{agreement.customer_id}~{agreement.sku}~{agreement.valid_from.isoformat()}")


def _after(key: str) -> tuple[str, str, str]:
    if not key:
        return ("", "", "")
    parts = key.split("~")
    if len(parts) != 3:
        raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
    return (parts[0], parts[1], parts[2])


def _shape(agreement: PriceAgreement) -> PriceShape:
    return PriceShape(
        customer_id=agreement.customer_id,
        sku=agreement.sku,
        price=agreement.price.text,
        currency=agreement.price.currency,
        valid_from=agreement.valid_from.isoformat(),
        valid_to=agreement.valid_to.isoformat() if agreement.valid_to else None,
    )
