"""Credit accounts have parents whose limits they count in too, and may be stopped by overdue invoices."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("parent_id", "family_id"):
        op.add_column("credit_account", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    for column in ("overdue_days", "overdue_minor"):
        op.add_column("credit_account", sa.Column(column, db.Int64, nullable=True))
    op.execute("UPDATE credit_account SET family_id = customer_id")
    op.create_index("credit_account_family", "credit_account", ["currency", "family_id"])


def downgrade() -> None:
    op.drop_index("credit_account_family", "credit_account")
    for column in ("overdue_minor", "overdue_days", "family_id", "parent_id"):
        op.drop_column("credit_account", column)
