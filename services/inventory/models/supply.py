"""The tables of supply that is announced."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from services.inventory.models.base import Table, of_stock, partial_index
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class ExpectedReceipt(Table, table=True):
    """Supply that is announced under a reference, and how much of it has not come yet or never will."""

    __tablename__ = "expected_receipt"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="expected_receipt_quantity"),
        CheckConstraint("remaining_quantity BETWEEN 0 AND quantity", name="expected_receipt_remaining"),
        CheckConstraint(
            "cancelled_quantity >= 0 AND remaining_quantity + cancelled_quantity <= quantity",
            name="expected_receipt_cancelled",
        ),
        CheckConstraint("kind IN ('purchase_order', 'work_order', 'transfer')", name="expected_receipt_kind"),
        of_stock("expected_receipt_of_stock"),
        partial_index("expected_receipt_open", "sku", "warehouse_id", "expected_on", where="remaining_quantity > 0"),
        partial_index(
            "expected_receipt_reference", "reference", "sku", "warehouse_id", where="reference <> ''", unique=True
        ),
        STRICT,
    )

    expected_receipt_id: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    remaining_quantity: int = Field(sa_type=Int64)
    expected_on: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    kind: str = Field(default="purchase_order", sa_type=Text, sa_column_kwargs={"server_default": "purchase_order"})
    cancelled_quantity: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})


class SupplyChange(Table, table=True):
    """What became of an expected receipt, by whom and why; never changed, never deleted."""

    __tablename__ = "supply_change"
    __table_args__ = (
        CheckConstraint("verb IN ('announced', 'changed', 'cancelled', 'received')", name="supply_change_verb"),
        CheckConstraint("remaining_quantity >= 0", name="supply_change_remaining"),
        ForeignKeyConstraint(
            ["expected_receipt_id"], ["expected_receipt.expected_receipt_id"], name="supply_change_of_receipt"
        ),
        Index("supply_change_of_receipt", "expected_receipt_id", "changed_at"),
        STRICT,
    )

    change_id: str = Field(sa_type=Text, primary_key=True)
    expected_receipt_id: str = Field(sa_type=Text)
    verb: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    expected_on: str = Field(sa_type=Text)
    remaining_quantity: int = Field(sa_type=Int64)
