"""SKUs of an order that a warehouse may not give: dangerous goods that it may not keep or send."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reservation_candidate", sa.Column("barred", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("reservation_candidate", "barred")
