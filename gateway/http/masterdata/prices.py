"""Price agreements: what a customer or a customer group pays for a SKU, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import ETAG, ReadOnly, SeenVersion, StoredVersion, merged, on_newest, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Currency, Day, Identity, Input, Price, Quantity, Sku, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import OfCustomer
from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.money import UnitPrice
from services.orders.access.matrix import Caller
from services.orders.domain.masterdata import AgreementKey, PriceAgreement
from services.orders.masterdata import prices

router = APIRouter(tags=["master data"])


class PriceInput(Input):
    """An agreement of a customer or of a customer group; the same party, SKU, first day, minimum quantity and currency replace it."""

    customer_id: Identity | None = Field(default=None, description="Whose it is; or name a customer_group.")
    customer_group: Identity | None = Field(
        default=None, description="Whose customers have it, unless they have their own."
    )
    sku: Sku
    price: Price = Field(description="Of one unit.")
    currency: Currency
    valid_from: Day
    valid_to: Day | None = Field(default=None, description="The last day; without one it stands until it is replaced.")
    min_quantity: Quantity = Field(default=1, description="Units a line has at least for this price.")
    version: SeenVersion = None
    warnings: ReadOnly = None

    model_config = example(
        customer_id="cus_acme", sku="PUMP-100", price="129.00", currency="USD", valid_from="2026-01-01"
    )


_KEY = ("customer_id", "customer_group", "sku", "valid_from", "min_quantity", "currency")
if TYPE_CHECKING:
    PricePatch = PriceInput
else:
    PricePatch = partial(
        "PricePatch",
        PriceInput,
        _KEY,
        customer_id="cus_acme",
        sku="PUMP-100",
        currency="USD",
        valid_from="2026-01-01",
        valid_to="2026-12-31",
    )


class PriceShape(BaseModel):
    """An agreement."""

    customer_id: str | None = Field(description="Null where it is a customer group's.")
    customer_group: str | None = Field(description="Null where it is a customer's.")
    sku: str
    price: str
    currency: str
    valid_from: str
    valid_to: str | None
    min_quantity: int
    version: StoredVersion


class StoredPriceShape(PriceShape):
    """An agreement as it was stored."""

    warnings: list[str] = Field(description="What to know of other agreements, such as an overlap of their days.")


@router.get("/v1/prices")
def list_prices(deps: DepsOf, who: CallerOf, paging: PagingOf, customer_id: OfCustomer = None) -> Page[PriceShape]:
    """Agreements by party, SKU and first day; a sales representative sees those of the assigned customers and their groups."""
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


@router.post("/v1/prices", response_model=StoredPriceShape)
def put_price(deps: DepsOf, who: CallerOf, body: PriceInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Create or replace an agreement, in the customer's currency. One that overlaps another is stored, and warned of."""

    def put(session: Session) -> StoredPriceShape:
        return _put(session, deps, who, body, expected_version(body.version, if_match))

    return once.answer_here(body, put)


@router.patch("/v1/prices", responses=ETAG)
def change_price(
    deps: DepsOf, who: CallerOf, body: PricePatch, if_match: IfMatch, response: Response
) -> StoredPriceShape:
    """Change the price or the last day of an agreement, as far as they are named."""
    expected = expected_version(body.model_dump(exclude_unset=True).get("version"), if_match)
    first = body.valid_from.isoformat()
    of, group = body.customer_id or "", body.customer_group or ""

    def edit() -> StoredPriceShape:
        with deps.database.transaction() as session:
            stands = prices.find_agreement(session, (of, group, body.sku, first, body.min_quantity, body.currency))
            if stands is None:
                raise NotFound("AGREEMENT_UNKNOWN", "there is no such agreement: POST it first")
            whole = merged(_shape(stands), body, PriceInput)
            return _put(session, deps, who, whole, stands.version if expected is None else expected)

    changed = on_newest(edit, expected)
    tag(response, changed.version)
    return changed


def _put(session: Session, deps: Deps, who: Caller, body: PriceInput, expected: int | None) -> StoredPriceShape:
    agreement = PriceAgreement(
        customer_id=body.customer_id or "",
        customer_group=body.customer_group or "",
        sku=body.sku,
        price=UnitPrice.parse(body.price, body.currency),
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        min_quantity=body.min_quantity,
    )
    stored = prices.put_agreement(session, agreement, who.principal.sub, deps.clock(), expected)
    return StoredPriceShape(**_shape(stored.agreement).model_dump(), warnings=list(stored.warnings))


def _cursor(agreement: PriceAgreement) -> str:
    return sealed("prices", "~".join(map(str, agreement.key)))


def _after(key: str) -> AgreementKey | None:
    if not key:
        return None
    parts = key.split("~")
    if len(parts) != 6 or not parts[4].isdecimal():
        raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
    customer_id, customer_group, sku, valid_from, min_quantity, currency = parts
    return customer_id, customer_group, sku, valid_from, int(min_quantity), currency


def _shape(agreement: PriceAgreement) -> PriceShape:
    return PriceShape(
        customer_id=agreement.customer_id or None,
        customer_group=agreement.customer_group or None,
        sku=agreement.sku,
        price=agreement.price.text,
        currency=agreement.price.currency,
        valid_from=agreement.valid_from.isoformat(),
        valid_to=agreement.valid_to.isoformat() if agreement.valid_to else None,
        min_quantity=agreement.min_quantity,
        version=agreement.version,
    )
