"""The deliveries and the verdicts."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, JsonText, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("position", Int64, nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("variables", JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", Int64, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("revived_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="deliveries_lease"),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="deliveries_sent_at"),
        sa.CheckConstraint("state <> 'dead' OR last_error <> ''", name="deliveries_dead_says_why"),
        sa.CheckConstraint("state IN ('waiting', 'sending', 'sent', 'dead')", name="deliveries_state"),
        sa.CheckConstraint("attempts >= 0", name="deliveries_attempts"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("delivery_id"),
        sa.UniqueConstraint("event_id", "email", name="deliveries_once"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("deliveries_in_order", ["order_id", "email", "position"], unique=False)
        batch_op.create_index(
            "deliveries_under_way",
            ["position"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        )

    op.create_table(
        "verdicts",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('order_accepted', 'order_rejected')", name="verdicts_kind"),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("verdicts")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index(
            "deliveries_under_way",
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        )
        batch_op.drop_index("deliveries_in_order")

    op.drop_table("deliveries")
