"""Exchange rates, by day."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exchange_rate",
        sa.Column("from_currency", sa.Text(), nullable=False),
        sa.Column("to_currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("from_currency <> to_currency", name="exchange_rate_of_two"),
        sa.PrimaryKeyConstraint("from_currency", "to_currency", "valid_from"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("exchange_rate")
