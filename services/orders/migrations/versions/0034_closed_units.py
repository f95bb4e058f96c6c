"""Lines keep how many of the units that they gave up were closed, which is not canceled."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_line", sa.Column("closed", Int64, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("order_line", "closed")
