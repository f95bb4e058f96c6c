"""What is owed back to cards is a liability until the provider has paid it."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_fewer, allow_more

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ACCOUNTS = ("debit", "credit")
_TEXTS = (
    "refund_id", "order_id", "customer_id", "payment_id", "currency", "state", "operation_id", "reason", "proposed_by", "reference",
    "settled_by",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "owed_refund",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, db.Int64, nullable=False) for name in ("amount_minor", "asked_count", "failed_count")),
        sa.Column("is_escalated", db.Flag(), nullable=False),
        sa.Column("owed_at", db.UtcDateTime(), nullable=False),
        sa.Column("settled_at", db.UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name="owed_refund_amount"),
        sa.CheckConstraint("state IN ('open', 'paid', 'paid_otherwise')", name="owed_refund_state"),
        sa.CheckConstraint("(settled_at IS NULL) = (state = 'open')", name="owed_refund_settled"),
        sa.CheckConstraint(
            "failed_count >= 0 AND failed_count <= asked_count AND asked_count >= 1", name="owed_refund_tries"
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="owed_refund_payment"),
        sa.PrimaryKeyConstraint("refund_id"),
        sa.UniqueConstraint("operation_id", name="owed_refund_operation"),
        sqlite_strict=True,
    )
    is_open = sa.text("state = 'open'")
    op.create_index("owed_refund_open", "owed_refund", ["refund_id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("owed_refund_of_order", "owed_refund", ["order_id", "refund_id"])
    allow_more("journal_entry", _ACCOUNTS, "refunds_payable")


def downgrade() -> None:
    allow_fewer("journal_entry", _ACCOUNTS, "refunds_payable")
    op.drop_table("owed_refund")
