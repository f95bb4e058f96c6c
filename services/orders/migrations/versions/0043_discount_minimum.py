"""A discount may be given from so much of goods on, and taken back when less is kept."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64

revision = "0043"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sales_order", sa.Column("discount_minimum_minor", Int64, nullable=False, server_default=sa.text("0"))
    )
    op.add_column("sales_order", sa.Column("claws_back", Flag(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("sales_order", "claws_back")
    op.drop_column("sales_order", "discount_minimum_minor")
