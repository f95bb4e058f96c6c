"""What got stuck is found by index, however many facts and messages there ever were."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NOT_PROJECTED = sa.text("state <> 'projected'")
_DEAD = sa.text("state = 'dead'")


def upgrade() -> None:
    op.create_index(
        "fact_stuck",
        "fact",
        ["received_at", "fact_id"],
        sqlite_where=_NOT_PROJECTED,
        postgresql_where=_NOT_PROJECTED,
    )
    op.create_index("outbox_dead", "outbox", ["occurred_at", "fact_id"], sqlite_where=_DEAD, postgresql_where=_DEAD)


def downgrade() -> None:
    op.drop_index("outbox_dead", "outbox")
    op.drop_index("fact_stuck", "fact")
