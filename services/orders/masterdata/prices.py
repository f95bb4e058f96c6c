"""Price agreements: what a customer pays for a SKU, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.orders.domain.access import Scope
from services.orders.domain.masterdata import PriceAgreement
from services.orders.store import masterdata as store


def put_agreement(session: Session, agreement: PriceAgreement, who: str, now: datetime) -> PriceAgreement:
    """Keep a price agreement in the customer's currency; NotFound for an unknown customer."""
    customer = store.customer(session, agreement.customer_id)
    if agreement.price.currency != customer.currency:
        raise InvalidArgument("CURRENCY_NOT_AGREED", f"prices of {customer.customer_id} are in {customer.currency}")
    kept = replace(agreement, sku=store.known_skus(session, [agreement.sku])[agreement.sku])
    store.put_agreement(session, kept, who, now)
    return kept


def list_agreements(
    session: Session,
    scope: Scope,
    *,
    customer_id: str = "",
    after: tuple[str, str, str] = ("", "", ""),
    limit: int = 100,
) -> list[PriceAgreement]:
    """Agreements by customer, SKU and first day, behind `after` (customer id, SKU, ISO day)."""
    return store.agreements(session, scope, customer_id=customer_id, after=after, limit=limit)
