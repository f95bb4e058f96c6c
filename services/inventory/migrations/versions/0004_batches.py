"""A long queue is filled, and its orders are told, in batches: what is left for the next one."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unfilled", sa.Column("sku", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("sku"), sqlite_strict=True
    )
    op.create_table(
        "unnotified",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("reservation_id", sa.Text(), nullable=False),
        sa.Column("placed_at_micros", Int64, nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_index("unnotified_in_turn", "unnotified", ["placed_at_micros", "order_id"])


def downgrade() -> None:
    op.drop_table("unnotified")
    op.drop_table("unfilled")
