"""Carriers are asked to stop parcels on their way."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shipment_interception",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("shipment_id", "state", "reason", "asked_by")),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'intercepted', 'refused', 'too_late')", name="shipment_interception_state_known"
        ),
        sa.CheckConstraint("(state = 'asked') = (answered_at IS NULL)", name="shipment_interception_answered_at"),
        sa.CheckConstraint("answered_at >= asked_at", name="shipment_interception_answered_after_asked"),
        sa.CheckConstraint("reason <> ''", name="shipment_interception_has_reason"),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.shipment_id"]),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("shipment_interception")
