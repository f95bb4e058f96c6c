"""Warehouses have schedules: working days, a cut-off, and how many units they handle a day."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, JsonText

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "warehouse_schedule",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("warehouse_id", "time_zone", "days", "holidays_of", "cut_off")
        ),
        sa.Column("closed_on", JsonText(), nullable=False),
        sa.Column("daily_units", Int64, nullable=True),
        sa.Column("version", Int64, nullable=False),
        sa.CheckConstraint("days <> ''", name="warehouse_schedule_days"),
        sa.CheckConstraint("daily_units IS NULL OR daily_units > 0", name="warehouse_schedule_daily_units"),
        sa.PrimaryKeyConstraint("warehouse_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("warehouse_schedule")
