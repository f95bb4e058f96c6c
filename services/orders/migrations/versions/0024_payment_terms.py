"""A customer has payment terms and a calendar of due dates, and an order keeps those it was placed under."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("customer", "sales_order"):
        for column in ("terms", "calendar"):
            op.add_column(table, sa.Column(column, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("sales_order", "customer"):
        for column in ("calendar", "terms"):
            op.drop_column(table, column)
