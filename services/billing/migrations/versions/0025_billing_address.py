"""Invoices keep the billing address of who is billed, as it was when they were posted."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0019"
branch_labels = None
depends_on = None

_PARTS = ("name", "street", "city", "region", "postal_code", "country")


def upgrade() -> None:
    for part in _PARTS:
        op.add_column("invoice", sa.Column(f"billing_{part}", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for part in _PARTS:
        op.drop_column("invoice", f"billing_{part}")
