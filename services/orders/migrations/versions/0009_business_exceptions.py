"""Business exceptions: what went wrong with an order, who must act, and how it was resolved."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("resolved_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "business_exception",
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.Column("what_to_do", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=False),
        sa.Column("resolved_role", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (resolved_by = '')", name="business_exception_resolved_by_somebody"
        ),
        sa.CheckConstraint("resolved_at IS NULL OR note <> ''", name="business_exception_resolved_with_a_note"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="business_exception_order"),
        sa.PrimaryKeyConstraint("exception_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "business_exception_open_once",
        "business_exception",
        ["kind", "subject_id"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
    op.create_index("business_exception_of_order", "business_exception", ["order_id"])


def downgrade() -> None:
    op.drop_table("business_exception")
