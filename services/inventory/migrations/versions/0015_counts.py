"""What was counted, and what orders lost by it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_count",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("count_id", "warehouse_id", "sku")),
        *(sa.Column(name, Int64, nullable=False) for name in ("counted", "delta")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("movement_id", "reason", "counted_by")),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("counted >= 0", name="stock_count_counted"),
        sa.CheckConstraint("(delta = 0) = (movement_id = '')", name="stock_count_moves"),
        sa.PrimaryKeyConstraint("count_id"),
        sqlite_strict=True,
    )
    op.create_index("stock_count_of_stock", "stock_count", ["warehouse_id", "sku"])
    op.create_table(
        "count_loss",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("count_id", "reservation_id", "line_id", "order_id")),
        *(sa.Column(name, Int64, nullable=False) for name in ("quantity", "released_quantity")),
        sa.Column("is_whole_order", Flag(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="count_loss_quantity"),
        sa.CheckConstraint("released_quantity BETWEEN 0 AND quantity", name="count_loss_released"),
        sa.ForeignKeyConstraint(["count_id"], ["stock_count.count_id"], name="count_loss_of_count"),
        sa.PrimaryKeyConstraint("count_id", "reservation_id", "line_id"),
        sqlite_strict=True,
    )
    op.create_index("count_loss_of_reservation", "count_loss", ["reservation_id"])


def downgrade() -> None:
    op.drop_table("count_loss")
    op.drop_table("stock_count")
