"""A hold on money may be released for orders up to an amount, and until a day."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hold", sa.Column("up_to_minor", Int64, nullable=True))
    op.add_column("hold", sa.Column("valid_until", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("hold", "valid_until")
    op.drop_column("hold", "up_to_minor")
