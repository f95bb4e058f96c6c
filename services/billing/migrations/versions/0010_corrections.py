"""Corrections of payments that wait for a second person."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_IS_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    texts = ("payment_id", "kind", "currency", "reason", "request", "asked_by", "state", "decided_by", "note")
    op.create_table(
        "payment_correction",
        sa.Column("correction_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("asked_at", db.UtcDateTime(), nullable=False),
        sa.Column("decided_at", db.UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('reversal', 'reapplication', 'refund')", name="payment_correction_kind"),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'declined')", name="payment_correction_state"),
        sa.CheckConstraint("(state = 'waiting') = (decided_by = '')", name="payment_correction_decided"),
        sa.CheckConstraint("decided_by <> asked_by", name="payment_correction_second_person"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="payment_correction_payment"),
        sa.PrimaryKeyConstraint("correction_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "payment_correction_waiting",
        "payment_correction",
        ["payment_id"],
        unique=True,
        sqlite_where=_IS_WAITING,
        postgresql_where=_IS_WAITING,
    )


def downgrade() -> None:
    op.drop_table("payment_correction")
