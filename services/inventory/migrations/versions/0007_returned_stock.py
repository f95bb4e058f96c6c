"""Goods that customers send back come in at what they had cost when they left."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TEXTS = ("request_id", "return_id", "order_id", "warehouse_id", "sku", "disposition", "currency")


def upgrade() -> None:
    op.create_table(
        "returned_stock",
        sa.Column("movement_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        sa.Column("quantity", Int64, nullable=False),
        sa.Column("value_minor", Int64, nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("disposition IN ('restock', 'quarantine', 'scrap')", name="returned_stock_disposition"),
        sa.CheckConstraint("quantity > 0", name="returned_stock_quantity"),
        sa.CheckConstraint("value_minor >= 0", name="returned_stock_value"),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="returned_stock_warehouse"),
        sa.PrimaryKeyConstraint("movement_id"),
        sa.UniqueConstraint("request_id", "sku", "disposition", name="returned_stock_once"),
        sqlite_strict=True,
    )
    op.create_index("returned_stock_of_order", "returned_stock", ["order_id", "sku"])
    is_of_order = sa.text("order_id <> ''")
    op.create_index(
        "movement_by_order", "movement", ["order_id", "sku"], sqlite_where=is_of_order, postgresql_where=is_of_order
    )


def downgrade() -> None:
    op.drop_index("movement_by_order", "movement")
    op.drop_table("returned_stock")
