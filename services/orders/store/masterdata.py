"""Customers, products, price agreements and policy versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, true, tuple_, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from services.kernel.errors import Conflict, NotFound
from services.kernel.money import UnitPrice
from services.kernel.text import clean_key, fold_key
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.masterdata import AgreementKey, AllowedShipTo, Customer, PriceAgreement, Product
from services.orders.domain.order import Address
from services.orders.domain.policies import StoredPolicy
from services.orders.models import CustomerRow, PolicyRow, PriceAgreementRow, ProductRow
from services.orders.store import taxes
from services.runtime import versioned
from services.runtime.db import Text, table_of

_CUSTOMER = (
    "name",
    "currency",
    "is_active",
    "tier",
    "net_days",
    "contact_email",
    "accounting_email",
    "sales_rep",
    "sales_rep_email",
    "duplicate_po",
    "customer_group",
    "bill_to_id",
    "terms",
    "calendar",
    "tax_id",
    "invoicing",
)
_PRODUCT = (
    "description",
    "kind",
    "weight_grams",
    "multiple",
    "min_quantity",
    "is_sellable",
    "is_returnable",
    "is_hazardous",
    "lead_days",
    "tax_category",
)

_customer, _product = table_of(CustomerRow), table_of(ProductRow)
_agreement, _policy = table_of(PriceAgreementRow), table_of(PolicyRow)
_CUSTOMERS = select(_customer).where(_customer.c.customer_id.in_(bindparam("of", expanding=True)))
_KNOWN = select(_product.c.sku, _product.c.sku_key).where(_product.c.sku_key.in_(bindparam("keys", expanding=True)))
_PRODUCTS = select(_product).where(_product.c.sku.in_(bindparam("skus", expanding=True)))
_OWN_GROUP = select(_customer.c.customer_group).where(_customer.c.customer_id == bindparam("customer"))
_AGREEMENTS = select(_agreement).where(
    ((_agreement.c.customer_id == bindparam("customer")) & (_agreement.c.customer_group == ""))
    | ((_agreement.c.customer_id == "") & (_agreement.c.customer_group == _OWN_GROUP.scalar_subquery())),
    _agreement.c.sku.in_(bindparam("skus", expanding=True)),
)
_AGREEMENT_KEY = ("customer_id", "customer_group", "sku", "valid_from", "min_quantity", "currency")
_AGREEMENTS_LIKE = (
    select(_agreement)
    .where(
        _agreement.c.customer_id == bindparam("customer"),
        _agreement.c.customer_group == bindparam("group"),
        _agreement.c.sku == bindparam("of_sku"),
    )
    .order_by(_agreement.c.valid_from)
)
_NEWEST_POLICY = (
    select(_policy.c.version, type_coerce(_policy.c.document, Text)).order_by(_policy.c.version.desc()).limit(1)
)


def put_customer(
    session: Session, customer: Customer, who: str, now: datetime, expected: int | None = None
) -> Customer:
    """Store a customer account, replacing an earlier one of the same id; gives it with its version. Refused VERSION_STALE."""
    values = {name: getattr(customer, name) for name in _CUSTOMER}
    values["name_key"] = fold_key(customer.name)
    values["tax_rate"] = f"{customer.tax_rate:f}"
    values["tax_exemptions"] = taxes.exemption_documents(customer.tax_exemptions)
    values["billing_address"] = asdict(customer.billing_address) if customer.billing_address else None
    values["allowed_ship_tos"] = [
        {"country": place.country, "region": place.region, "postal_code": place.postal_code}
        for place in customer.allowed_ship_tos
    ]
    values["free_multiple_skus"] = list(customer.free_multiple_skus)
    values |= {"changed_at": now, "changed_by": who}
    version = versioned.put(session, _customer, {"customer_id": customer.customer_id}, values, expected)
    return replace(customer, version=version)


def billed_to(session: Session, customer_id: str) -> list[str]:
    """Customers whose orders are billed to this account, by id, at most 5."""
    query = select(_customer.c.customer_id).where(_customer.c.bill_to_id == customer_id)
    return list(session.execute(query.order_by(_customer.c.customer_id).limit(5)).scalars())


def find_customer(session: Session, customer_id: str, scope: Scope = EVERYTHING) -> Customer | None:
    """The customer, unless it does not exist or the scope hides it."""
    row = session.execute(_find_customer(scope), {"of": customer_id}).first()
    return _customer_of(row) if row else None


@lru_cache(500)
def _find_customer(scope: Scope) -> Select[Any]:
    return select(_customer).where(_customer.c.customer_id == bindparam("of"), _customers_within(scope))


def customer(session: Session, customer_id: str, scope: Scope = EVERYTHING) -> Customer:
    """The customer; NotFound otherwise."""
    found = find_customer(session, customer_id, scope)
    if found is None:
        raise NotFound("CUSTOMER_UNKNOWN", "there is no such customer: check its id")
    return found


def customers_of(session: Session, customer_ids: Collection[str]) -> dict[str, Customer]:
    """Customer id → customer, of those that exist."""
    rows = session.execute(_CUSTOMERS, {"of": sorted(customer_ids)}) if customer_ids else ()
    return {row.customer_id: _customer_of(row) for row in rows}


def customers_named(session: Session, name: str) -> list[Customer]:
    """Customers of this name however it is written, by id, at most 10."""
    query = select(_customer).where(_customer.c.name_key == fold_key(name)).order_by(_customer.c.customer_id)
    return [_customer_of(row) for row in session.execute(query.limit(10))]


def customers(session: Session, scope: Scope, *, after: str = "", limit: int = 100) -> list[Customer]:
    """Customers that the scope shows, by id, behind `after`."""
    query = select(CustomerRow).where(_customers_within(scope), col(CustomerRow.customer_id) > after)
    return [_customer_of(row) for row in session.scalars(query.order_by(col(CustomerRow.customer_id)).limit(limit))]


def _customers_within(scope: Scope) -> ColumnElement[bool]:
    if scope.company is not None:
        return col(CustomerRow.customer_id) == scope.company
    if scope.sales_rep is not None:
        return col(CustomerRow.sales_rep) == scope.sales_rep
    return true()  # a channel enters orders of many customers; it reads none of them back


def _customer_of(row: Any) -> Customer:
    return Customer(
        customer_id=row.customer_id,
        version=row.version,
        **{name: getattr(row, name) for name in _CUSTOMER},
        tax_rate=Decimal(row.tax_rate),
        tax_exemptions=taxes.exemptions_of(row.tax_exemptions),
        billing_address=Address(**row.billing_address) if row.billing_address else None,
        allowed_ship_tos=tuple(AllowedShipTo(**place) for place in row.allowed_ship_tos),
        free_multiple_skus=tuple(row.free_multiple_skus),
    )


def put_product(session: Session, product: Product, who: str, now: datetime, expected: int | None = None) -> Product:
    """Store a SKU, replacing an earlier one, as put_customer() does; list price and standard cost share a currency."""
    priced = product.list_price or product.standard_cost
    values = {name: getattr(product, name) for name in _PRODUCT}
    values["currency"] = priced.currency if priced else ""
    values["sku_key"] = fold_key(product.sku)
    values["list_price"] = product.list_price.text if product.list_price else ""
    values["standard_cost"] = product.standard_cost.text if product.standard_cost else ""
    values |= {"changed_at": now, "changed_by": who}
    return replace(product, version=versioned.put(session, _product, {"sku": product.sku}, values, expected))


def known_skus(session: Session, skus: Collection[str]) -> dict[str, str]:
    """SKU as it was typed → as the catalog writes it; one that the catalog does not have is only cleaned."""
    keys = {sku: fold_key(sku) for sku in skus}
    rows = session.execute(_KNOWN, {"keys": sorted(set(keys.values()))})
    written = {row.sku_key: row.sku for row in rows}
    return {sku: written.get(key, clean_key(sku)) for sku, key in keys.items()}


def products_of(session: Session, skus: Sequence[str]) -> dict[str, Product]:
    """SKU → product, for those that exist."""
    rows = session.execute(_PRODUCTS, {"skus": sorted(set(skus))})
    return {row.sku: _product_of(row) for row in rows}


def products(session: Session, *, after: str = "", limit: int = 100) -> list[Product]:
    """The catalog by SKU, behind `after`."""
    query = select(ProductRow).where(col(ProductRow.sku) > after).order_by(col(ProductRow.sku)).limit(limit)
    return [_product_of(row) for row in session.scalars(query)]


def _product_of(row: Any) -> Product:
    return Product(
        sku=row.sku,
        version=row.version,
        **{name: getattr(row, name) for name in _PRODUCT},
        list_price=UnitPrice.parse(row.list_price, row.currency) if row.list_price else None,
        standard_cost=UnitPrice.parse(row.standard_cost, row.currency) if row.standard_cost else None,
    )


def put_agreement(
    session: Session, agreement: PriceAgreement, who: str, now: datetime, expected: int | None = None
) -> PriceAgreement:
    """Store a price agreement, replacing the one that begins on the same day, as put_customer() does."""
    values = {
        "valid_to": agreement.valid_to.isoformat() if agreement.valid_to else "",
        "price": agreement.price.text,
        "changed_at": now,
        "changed_by": who,
    }
    key = dict(zip(_AGREEMENT_KEY, agreement.key, strict=True))
    return replace(agreement, version=versioned.put(session, _agreement, key, values, expected))


def find_agreement(session: Session, key: AgreementKey) -> PriceAgreement | None:
    """The agreement of exactly this key; None when there is none."""
    is_it = [_agreement.c[name] == value for name, value in zip(_AGREEMENT_KEY, key, strict=True)]
    row = session.execute(select(_agreement).where(*is_it)).first()
    return _agreement_of(row) if row else None


def agreements_of(session: Session, customer_id: str, skus: Sequence[str]) -> dict[str, tuple[PriceAgreement, ...]]:
    """SKU → the customer's agreements and those of its group, whenever they hold."""
    found: dict[str, tuple[PriceAgreement, ...]] = {}
    for row in session.execute(_AGREEMENTS, {"customer": customer_id, "skus": sorted(set(skus))}):
        found[row.sku] = (*found.get(row.sku, ()), _agreement_of(row))
    return found


def agreements_like(session: Session, agreement: PriceAgreement) -> list[PriceAgreement]:
    """Every agreement of the same party over the same SKU, by first day."""
    like = {"customer": agreement.customer_id, "group": agreement.customer_group, "of_sku": agreement.sku}
    return [_agreement_of(row) for row in session.execute(_AGREEMENTS_LIKE, like)]


def agreements(
    session: Session, scope: Scope, *, customer_id: str = "", after: AgreementKey | None = None, limit: int = 100
) -> list[PriceAgreement]:
    """Agreements of the customers that the scope shows and of their groups, by their keys, behind `after`."""
    columns = [col(getattr(PriceAgreementRow, name)) for name in _AGREEMENT_KEY]
    query = select(PriceAgreementRow).where(_agreements_within(scope))
    if customer_id:
        query = query.where(col(PriceAgreementRow.customer_id) == customer_id)
    if after is not None:
        query = query.where(tuple_(*columns) > tuple_(*after))
    return [_agreement_of(row) for row in session.scalars(query.order_by(*columns).limit(limit))]


def _agreements_within(scope: Scope) -> ColumnElement[bool]:
    if scope.company is None and scope.sales_rep is None:
        return true()
    visible = select(col(CustomerRow.customer_id)).where(_customers_within(scope))
    groups = select(col(CustomerRow.customer_group)).where(_customers_within(scope))
    is_of_group = col(PriceAgreementRow.customer_group) != ""
    return col(PriceAgreementRow.customer_id).in_(visible) | (
        is_of_group & col(PriceAgreementRow.customer_group).in_(groups)
    )


def _agreement_of(row: Any) -> PriceAgreement:
    return PriceAgreement(
        customer_id=row.customer_id,
        sku=row.sku,
        price=UnitPrice.parse(row.price, row.currency),
        valid_from=date.fromisoformat(row.valid_from),
        valid_to=date.fromisoformat(row.valid_to) if row.valid_to else None,
        min_quantity=row.min_quantity,
        customer_group=row.customer_group,
        version=row.version,
    )


def add_policy(
    session: Session, document: Mapping[str, Any], who: str, now: datetime, expected: int | None = None
) -> StoredPolicy:
    """Add the next version; of two at once the later gets Conflict POLICY_OVERTAKEN and sees the other's version first.

    Refused VERSION_STALE when the newest is not the `expected` one; 0 is the one built in.
    """
    newest = session.execute(select(func.coalesce(func.max(col(PolicyRow.version)), 0))).scalar_one()
    versioned.check_seen(int(newest), expected)
    version = int(newest) + 1
    try:
        with session.begin_nested():
            session.add(PolicyRow(version=version, document=dict(document), stored_at=now, stored_by=who))
    except IntegrityError as overtaken:
        raise Conflict(
            "POLICY_OVERTAKEN", f"version {version} was just stored by somebody else: read it, then send yours again"
        ) from overtaken
    return StoredPolicy(version, document, now, who)


def newest_policy(session: Session) -> tuple[int, str] | None:
    """The version in force and its document as JSON; None while only the built-in one exists."""
    row = session.execute(_NEWEST_POLICY).first()
    return (row[0], row[1]) if row else None


def policies(session: Session, *, below: int | None = None, limit: int = 100) -> list[StoredPolicy]:
    """Versions, newest first, below a version when given."""
    query = select(PolicyRow).order_by(col(PolicyRow.version).desc()).limit(limit)
    if below is not None:
        query = query.where(col(PolicyRow.version) < below)
    return [_stored(row) for row in session.scalars(query)]


def policy_at(session: Session, then: datetime) -> StoredPolicy | None:
    """The newest version that was stored by an instant; None while only the built-in one existed."""
    query = select(PolicyRow).where(col(PolicyRow.stored_at) <= then).order_by(col(PolicyRow.version).desc()).limit(1)
    row = session.scalars(query).first()
    return _stored(row) if row else None


def _stored(row: Any) -> StoredPolicy:
    return StoredPolicy(row.version, row.document, row.stored_at, row.stored_by)
