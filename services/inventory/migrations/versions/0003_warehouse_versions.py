"""Warehouses have versions: who replaces one can say which version they have seen."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("warehouse", sa.Column("version", Int64, nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("warehouse", "version")
