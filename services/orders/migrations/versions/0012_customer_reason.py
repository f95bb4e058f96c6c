"""What a customer may read of why their own change did not come about."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("change_order", sa.Column("customer_reason", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("change_order", "customer_reason")
