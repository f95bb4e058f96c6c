"""Price agreements: what a customer or a customer group pays for a SKU, and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.orders.domain.access import Scope
from services.orders.domain.masterdata import AgreementKey, PriceAgreement
from services.orders.store import masterdata as store
from services.runtime.versioned import is_unchanged


@dataclass(frozen=True, slots=True)
class StoredAgreement:
    """An agreement as it is kept, and what whoever stored it should know of others; a sentence each."""

    agreement: PriceAgreement
    warnings: tuple[str, ...]


def put_agreement(
    session: Session, agreement: PriceAgreement, who: str, now: datetime, expected: int | None = None
) -> StoredAgreement:
    """Keep a price agreement, a customer's in its currency; NotFound for an unknown customer. Overlaps are warned of.

    The same agreement again changes nothing. Refused VERSION_STALE for another version than the `expected` one.
    """
    if agreement.customer_id:
        customer = store.customer(session, agreement.customer_id)
        if agreement.price.currency != customer.currency:
            raise InvalidArgument("CURRENCY_NOT_AGREED", f"prices of {customer.customer_id} are in {customer.currency}")
    kept = replace(agreement, sku=store.known_skus(session, [agreement.sku])[agreement.sku])
    known = store.find_agreement(session, kept.key)
    if known is not None and is_unchanged(known, kept, expected):
        kept = known
    else:
        kept = store.put_agreement(session, kept, who, now, expected)
    return StoredAgreement(kept, _overlaps(kept, store.agreements_like(session, kept)))


def find_agreement(session: Session, key: AgreementKey) -> PriceAgreement | None:
    """The agreement of exactly this key, its SKU however it was typed; None when there is none."""
    customer_id, customer_group, sku, valid_from, min_quantity, currency = key
    written = store.known_skus(session, [sku])[sku]
    return store.find_agreement(session, (customer_id, customer_group, written, valid_from, min_quantity, currency))


def _overlaps(agreement: PriceAgreement, others: Iterable[PriceAgreement]) -> tuple[str, ...]:
    return tuple(
        f"overlaps the agreement of {other.price.text} from {other.valid_from.isoformat()} "
        f"{f'to {other.valid_to.isoformat()}' if other.valid_to else 'on'}: on days of both, the one from "
        f"{max(agreement.valid_from, other.valid_from).isoformat()} applies"
        for other in others
        if agreement.overlaps(other)
    )


def list_agreements(
    session: Session,
    scope: Scope,
    *,
    customer_id: str = "",
    after: AgreementKey | None = None,
    limit: int = 100,
) -> list[PriceAgreement]:
    """Agreements by customer, customer group, SKU, first day, minimum quantity and currency, behind `after`."""
    return store.agreements(session, scope, customer_id=customer_id, after=after, limit=limit)
