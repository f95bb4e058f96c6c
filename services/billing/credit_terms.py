"""A customer's credit terms, inside the caller's transaction."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.billing.committing import grant_waiting
from services.billing.domain.credit import CreditTerms, check_parent
from services.billing.store import credit, families
from services.kernel.errors import Conflict


def put(session: Session, customer_id: str, currency: str, terms: CreditTerms, now: datetime) -> None:
    """Replace the terms and grant what they let go; Refused for a parent without an account, or under the customer itself."""
    parent_id, family_id = terms.parent_id, customer_id
    before = _taken_families(session, customer_id, parent_id, currency)
    if parent_id:
        family_id = families.family_of(session, parent_id, currency)
        members = {account.customer_id: account for account in families.members(session, family_id, currency)}
        check_parent(customer_id, parent_id, members)
    families.put_terms(session, customer_id, currency, family_id, replace(terms, changed_at=now))
    for family in sorted({before, family_id}):
        grant_waiting(session, family, currency, now)


def _taken_families(session: Session, customer_id: str, parent_id: str, currency: str) -> str:
    """The family that the customer leaves; it and the parent's are taken, the lesser first, so that no two wait in a circle."""
    if not families.family_of(session, customer_id, currency):
        credit.take_or_open(session, customer_id, currency)
    found = _families(session, customer_id, parent_id, currency)
    for family in sorted(set(found) - {""}):
        credit.take(session, family, currency)
    if _families(session, customer_id, parent_id, currency) != found:
        raise Conflict("PARENT_CHANGED_MEANWHILE", "somebody else is changing these customers' parents: try again")
    return found[0]


def _families(session: Session, customer_id: str, parent_id: str, currency: str) -> tuple[str, str]:
    return families.family_of(session, customer_id, currency), families.family_of(session, parent_id, currency)
