"""An order may have been settled elsewhere: what the marketplace or the till says of it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import JsonText

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sales_order", sa.Column("settlement", JsonText(), nullable=True))


def downgrade() -> None:
    op.drop_column("sales_order", "settlement")
