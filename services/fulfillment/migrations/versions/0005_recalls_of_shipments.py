"""A cancellation asks for each shipment back on its own, so that several recalls of an order may wait."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    op.drop_index("recall_one_pending", "recall")
    op.create_index("recall_pending", "recall", ["order_id"], sqlite_where=PENDING, postgresql_where=PENDING)
    op.create_index("recall_of_change", "recall", ["order_id", "change_id"])


def downgrade() -> None:
    op.drop_index("recall_of_change", "recall")
    op.drop_index("recall_pending", "recall")
    op.create_index(
        "recall_one_pending", "recall", ["order_id"], unique=True, sqlite_where=PENDING, postgresql_where=PENDING
    )
