"""Products that are dangerous goods, and what order lines keep of it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("product", "order_line"):
        op.add_column(table, sa.Column("is_hazardous", Flag(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table in ("product", "order_line"):
        op.drop_column(table, "is_hazardous")
