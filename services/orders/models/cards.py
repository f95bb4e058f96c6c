"""The table of cards: what billing has an order authorized and captured with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Text, UtcDateTime


class OrderCardRow(Table, table=True):
    """The provider's token of the card that an order is paid with; written, and read by billing alone."""

    __tablename__ = "order_card"
    __table_args__ = (ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_card_order"), STRICT)

    order_id: str = Field(sa_type=Text, primary_key=True)
    token: str = Field(sa_type=Text)
    given_at: datetime = Field(sa_type=UtcDateTime)
