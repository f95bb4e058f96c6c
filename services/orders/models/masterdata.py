"""Tables of master data: customers, products, prices and policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, false, true
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime


class CustomerRow(Table, table=True):
    """A customer account."""

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("net_days >= 0", name="customer_net_days_not_negative"),
        CheckConstraint("duplicate_po IN ('allow', 'warn', 'hold', 'block')", name="customer_duplicate_po_known"),
        Index("customer_of_sales_rep", "sales_rep"),
        Index("customer_name_key", "name_key"),
        STRICT,
    )

    customer_id: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    currency: str = Field(sa_type=Text)
    is_active: bool = Field(sa_type=Flag)
    tier: str = Field(sa_type=Text)
    net_days: int = Field(sa_type=Int64)
    terms: str = Field(sa_type=Text)
    calendar: str = Field(sa_type=Text)
    invoicing: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "per_shipment"})
    tax_rate: str = Field(sa_type=Text)
    tax_id: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    tax_exemptions: Any = Field(sa_type=JsonText, sa_column_kwargs={"server_default": "[]"})
    contact_email: str = Field(sa_type=Text)
    accounting_email: str = Field(sa_type=Text)
    sales_rep: str = Field(sa_type=Text)
    sales_rep_email: str = Field(sa_type=Text)
    allowed_ship_tos: Any = Field(sa_type=JsonText)
    free_multiple_skus: Any = Field(sa_type=JsonText)
    duplicate_po: str = Field(sa_type=Text)
    customer_group: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    bill_to_id: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    billing_address: Any = Field(sa_type=JsonText, nullable=True)
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class ProductRow(Table, table=True):
    """A SKU of the catalog; prices are decimal text."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("kind IN ('stock', 'build_to_order', 'service')", name="product_kind_known"),
        CheckConstraint("multiple >= 1 AND min_quantity >= 1 AND weight_grams >= 0", name="product_quantities_sound"),
        CheckConstraint("lead_days >= 0", name="product_lead_days_not_negative"),
        Index("product_key", "sku_key", unique=True),
        STRICT,
    )

    sku: str = Field(sa_type=Text, primary_key=True)
    sku_key: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    list_price: str = Field(sa_type=Text)
    standard_cost: str = Field(sa_type=Text)
    weight_grams: int = Field(sa_type=Int64)
    multiple: int = Field(sa_type=Int64)
    min_quantity: int = Field(sa_type=Int64)
    is_sellable: bool = Field(sa_type=Flag)
    lead_days: int = Field(sa_type=Int64)
    is_returnable: bool = Field(default=True, sa_type=Flag, sa_column_kwargs={"server_default": true()})
    is_hazardous: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    tax_category: str = Field(sa_type=Text, sa_column_kwargs={"server_default": "standard"})
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class PriceAgreementRow(Table, table=True):
    """What a customer or a customer group pays for a SKU; days are ISO text, valid_to empty for ever."""

    __tablename__ = "price_agreement"
    __table_args__ = (
        CheckConstraint("(customer_id = '') <> (customer_group = '')", name="price_agreement_of_one_party"),
        CheckConstraint("min_quantity >= 1", name="price_agreement_quantity_positive"),
        CheckConstraint("valid_to = '' OR valid_to >= valid_from", name="price_agreement_days_in_order"),
        STRICT,
    )

    customer_id: str = Field(sa_type=Text, primary_key=True)
    customer_group: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    valid_from: str = Field(sa_type=Text, primary_key=True)
    min_quantity: int = Field(sa_type=Int64, primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    valid_to: str = Field(sa_type=Text)
    price: str = Field(sa_type=Text)
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class ExchangeRateRow(Table, table=True):
    """What one unit of a currency is worth in another from a day on; the day is ISO text, the rate decimal text."""

    __tablename__ = "exchange_rate"
    __table_args__ = (CheckConstraint("from_currency <> to_currency", name="exchange_rate_of_two"), STRICT)

    from_currency: str = Field(sa_type=Text, primary_key=True)
    to_currency: str = Field(sa_type=Text, primary_key=True)
    valid_from: str = Field(sa_type=Text, primary_key=True)
    rate: str = Field(sa_type=Text)
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class TaxRateRow(Table, table=True):
    """How a tax category is taxed at a place from a day on; days are ISO text, the rate is decimal text, or "goods" for freight."""

    __tablename__ = "tax_rate"
    __table_args__ = (STRICT,)

    country: str = Field(sa_type=Text, primary_key=True)
    region: str = Field(sa_type=Text, primary_key=True)
    postal_prefix: str = Field(sa_type=Text, primary_key=True)
    category: str = Field(sa_type=Text, primary_key=True)
    valid_from: str = Field(sa_type=Text, primary_key=True)
    rate: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class PolicyRow(Table, table=True):
    """A version of the validation policy; versions are only added."""

    __tablename__ = "policy"
    __table_args__ = (CheckConstraint("version >= 1", name="policy_version_positive"), STRICT)

    version: int = Field(sa_type=Int64, primary_key=True)
    document: Any = Field(sa_type=JsonText)
    stored_at: datetime = Field(sa_type=UtcDateTime)
    stored_by: str = Field(sa_type=Text)
