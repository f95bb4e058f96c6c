"""Lines keep how many of the units that they gave up were closed; an order may name the day after which what has not shipped goes."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_INDEX = "sales_order_cancel_after"


def upgrade() -> None:
    op.add_column("order_line", sa.Column("closed", Int64, nullable=False, server_default="0"))
    op.add_column("sales_order", sa.Column("cancel_after", sa.Text(), nullable=False, server_default=""))
    is_dated = sa.text("cancel_after <> '' AND ended_at IS NULL")
    op.create_index(_INDEX, "sales_order", ["cancel_after"], sqlite_where=is_dated, postgresql_where=is_dated)


def downgrade() -> None:
    op.drop_index(_INDEX, "sales_order")
    op.drop_column("sales_order", "cancel_after")
    op.drop_column("order_line", "closed")
