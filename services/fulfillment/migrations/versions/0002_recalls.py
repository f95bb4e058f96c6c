"""Units that are asked back before they are picked, and what the warehouse answers."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    op.create_table(
        "recall",
        sa.Column("recall_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(state = 'pending') = (answered_at IS NULL)", name="recall_answered_at"),
        sa.CheckConstraint("state <> 'pending' OR reason = ''", name="recall_reason_needs_answer"),
        sa.CheckConstraint("state <> 'refused' OR reason <> ''", name="recall_refused_with_reason"),
        sa.CheckConstraint("state IN ('pending', 'acknowledged', 'refused')", name="recall_state_known"),
        sa.ForeignKeyConstraint(["order_id"], ["floor_order.order_id"]),
        sa.PrimaryKeyConstraint("recall_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "recall_one_pending", "recall", ["order_id"], unique=True, sqlite_where=PENDING, postgresql_where=PENDING
    )
    op.create_table(
        "recall_line",
        sa.Column("recall_id", sa.Text(), nullable=False),
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", Int64, nullable=False),
        sa.CheckConstraint("quantity > 0", name="recall_line_quantity_positive"),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.recall_id"]),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.shipment_id"]),
        sa.PrimaryKeyConstraint("recall_id", "shipment_id", "line_id", "sku"),
        sqlite_strict=True,
    )
    op.add_column("shipment", sa.Column("recall_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("shipment", "recall_id")
    op.drop_table("recall_line")
    op.drop_table("recall")
