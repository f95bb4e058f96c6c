"""The backorders of an order are found by index, those that wait for nothing too."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WAITING = sa.text("waiting_quantity > 0")


def upgrade() -> None:
    op.drop_index("backorder_of_order", "backorder")
    op.create_index("backorder_by_order", "backorder", ["order_id"])


def downgrade() -> None:
    op.drop_index("backorder_by_order", "backorder")
    op.create_index("backorder_of_order", "backorder", ["order_id"], sqlite_where=_WAITING, postgresql_where=_WAITING)
