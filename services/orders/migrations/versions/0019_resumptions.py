"""Resumptions: workflows that were started again."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "resumption",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", Int64, nullable=False),
        sa.Column("resumed_at", UtcDateTime(), nullable=False),
        sa.Column("resumed_by", sa.Text(), nullable=False),
        sa.Column("resumed_role", sa.Text(), nullable=False),
        sa.CheckConstraint("number >= 1", name="resumption_number_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="resumption_order"),
        sa.PrimaryKeyConstraint("order_id", "number"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("resumption")
