"""A count is open until what orders lost by it is out of their shipments."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.add_column("stock_count", sa.Column("closed_at", UtcDateTime(), nullable=True))
    # those by which orders lost stay open: whether their shipments have heard is not known, and to hear twice is nothing
    op.execute(
        "UPDATE stock_count SET closed_at = counted_at"
        " WHERE NOT EXISTS (SELECT 1 FROM count_loss WHERE count_loss.count_id = stock_count.count_id)"
    )
    op.create_index("stock_count_open", "stock_count", ["counted_at"], sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)


def downgrade() -> None:
    op.drop_index("stock_count_open", "stock_count")
    op.drop_column("stock_count", "closed_at")
