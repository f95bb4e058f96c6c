"""Whether customers may send a product back; what the catalog has today, they may."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag

revision = "0041"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("product", sa.Column("is_returnable", Flag(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("product", "is_returnable")
