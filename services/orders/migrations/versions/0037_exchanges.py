"""Exchanges: a line of a return may be replaced, and orders that replace goods of a return are known."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, UtcDateTime

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_LINE = ("replace_sku", "replace_price")


def upgrade() -> None:
    op.add_column("sales_return", sa.Column("is_advance", Flag(), nullable=False, server_default=sa.false()))
    for name in _LINE:
        op.add_column("sales_return_line", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("sales_return_line", sa.Column("replace_quantity", Int64, nullable=False, server_default="0"))
    op.add_column("return_inspection", sa.Column("netted_at", UtcDateTime(), nullable=True))
    op.create_table(
        "replacement_order",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("order_id", "return_id", "subject")),
        sa.Column("is_documented", Flag(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="replacement_order_order"),
        sa.ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="replacement_order_return"),
        sa.PrimaryKeyConstraint("order_id"),
        sa.UniqueConstraint("return_id", "subject", "is_documented", name="replacement_order_once"),
        sqlite_strict=True,
    )
    op.create_table(
        "replacement_line",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("order_id", "order_line_id", "line_id")),
        sa.Column("quantity", Int64, nullable=False),
        sa.CheckConstraint("quantity > 0", name="replacement_line_quantity"),
        sa.ForeignKeyConstraint(["order_id"], ["replacement_order.order_id"], name="replacement_line_order"),
        sa.PrimaryKeyConstraint("order_id", "order_line_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("replacement_line")
    op.drop_table("replacement_order")
    op.drop_column("return_inspection", "netted_at")
    op.drop_column("sales_return_line", "replace_quantity")
    for name in _LINE:
        op.drop_column("sales_return_line", name)
    op.drop_column("sales_return", "is_advance")
