"""Tables of cards: what billing has an order authorized and captured with, and what was given for it since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class OrderCardRow(Table, table=True):
    """The provider's token of the card that an order is paid with; written, and read for billing alone."""

    __tablename__ = "order_card"
    __table_args__ = (ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_card_order"), STRICT)

    order_id: str = Field(sa_type=Text, primary_key=True)
    token: str = Field(sa_type=Text)
    given_at: datetime = Field(sa_type=UtcDateTime)


class GivenCardRow(Table, table=True):
    """Another card that was given for an order, while nobody knows whether it is authorized; a higher number came later."""

    __tablename__ = "given_card"
    __table_args__ = (
        ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="given_card_order"),
        UniqueConstraint("order_id", "number", name="given_card_number_once"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    request_id: str = Field(sa_type=Text, primary_key=True)
    token: str = Field(sa_type=Text)
    number: int = Field(sa_type=Int64)
    given_at: datetime = Field(sa_type=UtcDateTime)
