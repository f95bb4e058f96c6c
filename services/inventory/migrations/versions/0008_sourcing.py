"""Why an order is served from where it is: the sourcing policy, and the plans with their rivals."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, JsonText, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sourcing_policy",
        sa.Column("policy_id", sa.Text(), primary_key=True),
        sa.Column("split_penalty_minor", Int64, nullable=False),
        sa.Column("late_day_minor", Int64, nullable=False),
        sa.Column("maximum_splits", Int64, nullable=True),
        sa.Column("nodes", JsonText(), nullable=False),
        sa.Column("version", Int64, nullable=False, server_default="1"),
        sa.CheckConstraint("policy_id = 'company'", name="sourcing_policy_once"),
        sa.CheckConstraint("split_penalty_minor >= 0 AND late_day_minor >= 0", name="sourcing_policy_costs"),
        sa.CheckConstraint("maximum_splits >= 0", name="sourcing_policy_splits"),
        sqlite_strict=True,
    )
    op.create_table(
        "sourcing_plan",
        sa.Column("plan_id", sa.Text(), primary_key=True),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("plan", JsonText(), nullable=False),
        sqlite_strict=True,
    )
    op.create_index("sourcing_plan_of_order", "sourcing_plan", ["order_id", "planned_at", "plan_id"])


def downgrade() -> None:
    op.drop_table("sourcing_plan")
    op.drop_table("sourcing_policy")
