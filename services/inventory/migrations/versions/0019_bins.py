"""Where in a warehouse a SKU lies."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_bin",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("warehouse_id", "sku", "bin")),
        sa.CheckConstraint("bin <> ''", name="stock_bin_named"),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="stock_bin_of_warehouse"),
        sa.PrimaryKeyConstraint("warehouse_id", "sku"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("stock_bin")
