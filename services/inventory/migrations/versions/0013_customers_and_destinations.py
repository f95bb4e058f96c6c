"""Sourcing knows the terms of single customers, and for which address something is held."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import JsonText

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sourcing_policy", sa.Column("customers", JsonText(), nullable=False, server_default="[]"))
    op.add_column("reservation", sa.Column("destination", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("reservation", "destination")
    op.drop_column("sourcing_policy", "customers")
