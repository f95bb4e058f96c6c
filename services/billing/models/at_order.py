"""Orders that are invoiced at order, and what of them has become revenue by shipping."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.billing.domain.at_order import STATES
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Int64, JsonText, Text, UtcDateTime

_IS_DUE = text("state = 'due'")


class OrderToInvoice(Table, table=True):
    """An order that is invoiced before it ships: whether units of it are to be invoiced now, from which version on, under which day."""

    __tablename__ = "order_to_invoice"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="order_to_invoice_account",
        ),
        CheckConstraint(one_of("state", STATES), name="order_to_invoice_state"),
        Index("order_to_invoice_due", "order_id", sqlite_where=_IS_DUE, postgresql_where=_IS_DUE),
        STRICT,
    )
    order_id: str = Field(sa_type=Text, primary_key=True)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    version: int = Field(sa_type=Int64)
    invoice_on: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class RevenueRecognition(Table, table=True):
    """A shipment of an order that was invoiced at order, and what became revenue by it.

    `charges` is tax part → minor units of goods, discount, freight and tax: what the shipment's own invoice would have come to.
    """

    __tablename__ = "revenue_recognition"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["order_to_invoice.order_id"], name="revenue_recognition_order"),
        CheckConstraint("goods_minor >= 0 AND freight_minor >= 0", name="revenue_recognition_amounts"),
        Index("revenue_recognition_of_order", "order_id"),
        STRICT,
    )
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    goods_minor: int = Field(sa_type=Int64)
    freight_minor: int = Field(sa_type=Int64)
    charges: Any = Field(sa_type=JsonText)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class RevenueRecognitionLine(Table, table=True):
    """Units of an order line that shipped."""

    __tablename__ = "revenue_recognition_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["shipment_id"], ["revenue_recognition.shipment_id"], name="revenue_recognition_line_shipment"
        ),
        CheckConstraint("quantity > 0", name="revenue_recognition_line_quantity"),
        STRICT,
    )
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    quantity: int = Field(sa_type=Int64)
