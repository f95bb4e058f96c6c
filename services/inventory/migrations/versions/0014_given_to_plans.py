"""What a plan was made from, so that another sourcing policy can be tried on it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import JsonText

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sourcing_plan", sa.Column("given", JsonText(), nullable=True))
    op.create_index("sourcing_plan_planned", "sourcing_plan", ["planned_at", "plan_id"])


def downgrade() -> None:
    op.drop_index("sourcing_plan_planned", "sourcing_plan")
    op.drop_column("sourcing_plan", "given")
