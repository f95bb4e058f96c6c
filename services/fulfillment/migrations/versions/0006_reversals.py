"""A ship confirm that was a mistake can be reversed; another shipment has its goods from then on."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shipment", sa.Column("replaces", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "shipment_reversal",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("shipped_at", UtcDateTime(), nullable=False),
        sa.Column("reversed_at", UtcDateTime(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reversed_by", "reason", "replaced_by")),
        sa.CheckConstraint("reversed_at >= shipped_at", name="shipment_reversal_after_shipped"),
        sa.CheckConstraint("reason <> ''", name="shipment_reversal_has_reason"),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.shipment_id"]),
        sa.UniqueConstraint("replaced_by"),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("shipment_reversal")
    op.drop_column("shipment", "replaces")
