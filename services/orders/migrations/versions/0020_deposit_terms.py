"""An order may ask for a deposit: a percentage of its total, or an amount."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sales_order", sa.Column("deposit_terms", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sales_order", "deposit_terms")
