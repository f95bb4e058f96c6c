"""What a rule said is kept with the figures that it spoke of, a change with the highest id that a line of its order ever got."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, JsonText

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # rows without figures are about their version as it is
    op.add_column("violation", sa.Column("given_for", JsonText(), nullable=True))
    op.add_column("change_order", sa.Column("last_line_id", Int64, nullable=True))


def downgrade() -> None:
    op.drop_column("change_order", "last_line_id")
    op.drop_column("violation", "given_for")
