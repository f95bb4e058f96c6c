"""Goods that customers send back are announced, counted and inspected."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, Int64, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "expected_return",
        *_texts("return_id", "number", "order_id", "order_number"),
        sa.Column("is_open", Flag(), nullable=False),
        sa.Column("announced_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("is_open = (closed_at IS NULL)", name="expected_return_closed_at"),
        sa.ForeignKeyConstraint(["order_id"], ["warehouse_order.order_id"], name="expected_return_order"),
        sa.PrimaryKeyConstraint("return_id"),
        sa.UniqueConstraint("number", name="expected_return_number"),
        sqlite_strict=True,
    )
    of_return = sa.ForeignKeyConstraint(
        ["return_id"], ["expected_return.return_id"], name="expected_return_line_return"
    )
    op.create_table(
        "expected_return_line",
        *_texts("return_id", "line_id", "sku", "description"),
        *_numbers("quantity", "received", "inspected"),
        sa.CheckConstraint(
            "quantity > 0 AND 0 <= inspected AND inspected <= received AND received <= quantity",
            name="expected_return_line_quantities",
        ),
        of_return,
        sa.PrimaryKeyConstraint("return_id", "line_id"),
        sqlite_strict=True,
    )
    _create_counts()


def _create_counts() -> None:
    op.create_table(
        "return_receipt",
        *_texts("receipt_id", "return_id", "line_id", "warehouse_id", "received_by"),
        *_numbers("quantity"),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="return_receipt_quantity"),
        sa.ForeignKeyConstraint(
            ["return_id", "line_id"],
            ["expected_return_line.return_id", "expected_return_line.line_id"],
            name="return_receipt_line",
        ),
        sa.PrimaryKeyConstraint("receipt_id"),
        sqlite_strict=True,
    )
    op.create_index("return_receipt_of_return", "return_receipt", ["return_id", "line_id"])
    op.create_table(
        "inspected_units",
        *_texts("inspection_id"),
        *_numbers("position"),
        *_texts("return_id", "line_id", "warehouse_id", "grade", "disposition", "responsible", "note", "inspected_by"),
        *_numbers("quantity"),
        sa.Column("inspected_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="inspected_units_quantity"),
        sa.CheckConstraint("grade IN ('A', 'B', 'C', 'D')", name="inspected_units_grade"),
        sa.CheckConstraint("disposition IN ('restock', 'quarantine', 'scrap')", name="inspected_units_disposition"),
        sa.CheckConstraint("responsible IN ('customer', 'seller', 'carrier')", name="inspected_units_responsible"),
        sa.ForeignKeyConstraint(
            ["return_id", "line_id"],
            ["expected_return_line.return_id", "expected_return_line.line_id"],
            name="inspected_units_line",
        ),
        sa.PrimaryKeyConstraint("inspection_id", "position"),
        sqlite_strict=True,
    )
    op.create_index("inspected_units_of_return", "inspected_units", ["return_id", "line_id"])


def downgrade() -> None:
    for table in ("inspected_units", "return_receipt", "expected_return_line", "expected_return"):
        op.drop_table(table)
