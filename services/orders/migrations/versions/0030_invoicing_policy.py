"""A customer has an invoicing policy, and an order keeps the one it was placed under."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("customer", "sales_order"):
        op.add_column(table, sa.Column("invoicing", sa.Text(), nullable=False, server_default="per_shipment"))


def downgrade() -> None:
    for table in ("sales_order", "customer"):
        op.drop_column(table, "invoicing")
