"""Taxes: rates that accounting enters by place and category, and how what a customer buys is taxed by them."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Address
from services.orders.domain.taxation import CATEGORIES, Buyer, TaxDetermination, TaxRate, TaxRateKey, TaxRules
from services.orders.store import tax_rates as store
from services.runtime import sessions, vat
from services.runtime.versioned import is_unchanged


def put_rate(session: Session, rate: TaxRate, who: str, now: datetime, expected: int | None = None) -> TaxRate:
    """Keep a rate; one of the same place, category and day is replaced, the same again changes nothing. Refused VERSION_STALE."""
    known = store.find(session, rate)
    if known is not None and is_unchanged(known, rate, expected):
        return known
    return store.put(session, rate, who, now, expected)


def list_rates(session: Session, *, after: TaxRateKey | None = None, limit: int = 100) -> list[TaxRate]:
    """Rates by place, category and first day, behind `after`."""
    return store.page(session, after=after, limit=limit)


def determination(
    session: Session, customer: Customer, place: Address, on: date, certificate: str = ""
) -> TaxDetermination:
    """How what a customer has sent to a place is taxed at the rates of a day.

    InvalidArgument TAX_EXEMPTION_UNKNOWN or TAX_EXEMPTION_INVALID for a certificate that does not cover it.
    """
    company = sessions.company(session)
    vat_rates = vat.rates() if company.country in vat.rates() else {}
    vat_country = vat.country_of(customer.tax_id) if vat_rates else ""
    country = place.country or vat_country or company.country
    rules = TaxRules(company.country, store.at_place(session, country, place, on), vat_rates, company.tax_per_line)
    buyer = Buyer(customer.tax_rate, vat_country, customer.tax_exemptions)
    return TaxDetermination.of(rules, buyer, place, on, certificate)


def check_category(session: Session, category: str) -> None:
    """InvalidArgument TAX_CATEGORY_UNKNOWN for one that is not built in and that no place has a rate for."""
    if category not in CATEGORIES and not store.is_category(session, category):
        raise InvalidArgument(
            "TAX_CATEGORY_UNKNOWN",
            f"no tax rate names the category {category!r}: store a rate for it first, or use one of {', '.join(CATEGORIES)}",
        )


def check_tax_id(session: Session, tax_id: str) -> None:
    """InvalidArgument TAX_ID_INVALID, for a seller in the EU, for what begins as the VAT number of a member state and is none."""
    if (
        sessions.company(session).country in vat.rates()
        and vat.looks_like_number(tax_id)
        and not vat.country_of(tax_id)
    ):
        raise InvalidArgument(
            "TAX_ID_INVALID", f"{tax_id!r} is no valid EU VAT number: check its digits with the customer"
        )
