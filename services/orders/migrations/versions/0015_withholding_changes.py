"""Until when a change that is not settled holds back the lines it touches; those that wait today hold back nothing."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_RESUMED = sa.CheckConstraint(
    "resumed_at IS NULL OR withholds_until IS NOT NULL", name="change_order_resumed_what_it_withheld"
)


def upgrade() -> None:
    op.add_column("change_order", sa.Column("withholds_until", UtcDateTime(), nullable=True))
    op.add_column("change_order", sa.Column("resumed_at", UtcDateTime(), _RESUMED, nullable=True))


def downgrade() -> None:
    op.drop_column("change_order", "resumed_at")
    op.drop_column("change_order", "withholds_until")
