"""What customers say of their orders, and the support cases it opens."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("rating", Int64, nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("wants_support", Flag(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_role", sa.Text(), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(case_number IS NOT NULL) = (wants_support OR COALESCE(rating, 5) <= 2)",
            name="feedback_case_when_support_must_act",
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="feedback_rating_known"),
        sa.CheckConstraint("rating IS NOT NULL OR wants_support", name="feedback_says_something"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="feedback_order"),
        sa.PrimaryKeyConstraint("order_id"),
        sa.UniqueConstraint("case_number", name="feedback_case_once"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("feedback")
