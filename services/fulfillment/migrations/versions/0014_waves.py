"""Shipments that are picked together are in a wave."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wave",
        sa.Column("wave_id", sa.Text(), nullable=False),
        sa.Column("serial", Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("warehouse_id", "picker", "created_by")),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("warehouse_id <> ''", name="wave_of_warehouse"),
        sa.PrimaryKeyConstraint("wave_id"),
        sa.UniqueConstraint("serial", name="wave_serial_unique"),
        sqlite_strict=True,
    )
    op.create_index("wave_warehouse", "wave", ["warehouse_id", "serial"])
    op.create_table(
        "wave_shipment",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("shipment_id", "wave_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.shipment_id"]),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.wave_id"]),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )
    op.create_index("wave_shipment_of_wave", "wave_shipment", ["wave_id"])


def downgrade() -> None:
    op.drop_table("wave_shipment")
    op.drop_table("wave")
