"""Customers have a billing address, to which their documents are sent."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import JsonText

revision = "0038"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("billing_address", JsonText(), nullable=True))


def downgrade() -> None:
    op.drop_column("customer", "billing_address")
