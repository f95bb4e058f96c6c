"""What a customer buys may be billed to another account."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("customer", "sales_order"):
        op.add_column(table, sa.Column("bill_to_id", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("sales_order", "customer"):
        op.drop_column(table, "bill_to_id")
