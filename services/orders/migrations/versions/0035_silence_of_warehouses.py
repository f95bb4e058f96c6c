"""When a warehouse was asked to give units back, and when its silence is acted upon; recalls that wait today are not escalated."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_OF_A_RECALL = sa.CheckConstraint(
    "recall_asked_at IS NOT NULL OR (answer_due_at IS NULL AND silence_steps = 0)",
    name="change_order_silence_of_a_recall",
)


def upgrade() -> None:
    op.add_column("change_order", sa.Column("recall_asked_at", UtcDateTime(), nullable=True))
    op.add_column("change_order", sa.Column("answer_due_at", UtcDateTime(), nullable=True))
    op.add_column("change_order", sa.Column("silence_steps", Int64, _OF_A_RECALL, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("change_order", "silence_steps")
    op.drop_column("change_order", "answer_due_at")
    op.drop_column("change_order", "recall_asked_at")
