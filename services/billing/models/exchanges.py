"""Tables of exchanges: what left in place of goods of a return without an invoice, what of it is charged, and cash held for replacements."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from services.billing.models.base import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class ExchangedLine(Table, table=True):
    """Units of an order line that left in a shipment of an exchange."""

    __tablename__ = "exchanged_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="exchanged_line_quantity"),
        Index("exchanged_line_of_order", "order_id"),
        STRICT,
    )
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    left_at: datetime = Field(sa_type=UtcDateTime)


class ExchangeSettlement(Table, table=True):
    """An order of which it is known what is charged."""

    __tablename__ = "exchange_settlement"
    __table_args__ = (STRICT,)
    order_id: str = Field(sa_type=Text, primary_key=True)
    settled_at: datetime = Field(sa_type=UtcDateTime)


class ExchangeCharge(Table, table=True):
    """Units of an order line that are charged because what they replaced has not come."""

    __tablename__ = "exchange_charge"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["exchange_settlement.order_id"], name="exchange_charge_settlement"),
        CheckConstraint("quantity > 0", name="exchange_charge_quantity"),
        STRICT,
    )
    order_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    quantity: int = Field(sa_type=Int64)


class ReturnCashHeld(Table, table=True):
    """Cash of a return's credit note that is held for the order which replaces its goods, once."""

    __tablename__ = "return_cash_held"
    __table_args__ = (
        ForeignKeyConstraint(
            ["credit_note_id", "payment_id"],
            ["credit_note_cash.credit_note_id", "credit_note_cash.payment_id"],
            name="return_cash_held_cash",
        ),
        CheckConstraint("amount_minor > 0", name="return_cash_held_amount"),
        STRICT,
    )
    credit_note_id: str = Field(sa_type=Text, primary_key=True)
    payment_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    held_at: datetime = Field(sa_type=UtcDateTime)
