"""A count that is a short pick knows its shipment: what is short leaves that one first."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock_count", sa.Column("shipment_id", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("stock_count", "shipment_id")
