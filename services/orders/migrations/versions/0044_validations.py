"""How the money of an order stood when its rules were first asked, so that a changed policy can be tried on it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, UtcDateTime

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "validation",
        sa.Column("order_id", sa.Text(), nullable=False),
        *(sa.Column(name, Int64, nullable=False) for name in ("order_version", "policy_version")),
        sa.Column("is_granted", Flag(), nullable=False),
        *(sa.Column(name, Int64, nullable=False) for name in ("exposure_minor", "limit_minor")),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("validated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="validation_order"),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("validation")
