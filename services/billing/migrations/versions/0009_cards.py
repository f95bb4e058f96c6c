"""Cards: what a payment provider is asked to do, what it has authorized, and payments that came from a card."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_values

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "inventory", "goods_received_not_invoiced", "tax_payable", "unapplied_cash",
    "customer_deposits", "revenue", "freight_revenue", "sales_discounts", "cost_of_goods_sold", "shrinkage",
    "marketplace_clearing", "marketplace_fees",
)  # fmt: skip
_AFTER = (*_BEFORE, "card_fees")


def upgrade() -> None:
    # an order by card was tested against its customer's credit until now, and those that are here stay so
    for table in ("commitment", "credit_wait"):
        op.execute(f"UPDATE {table} SET payment_method = 'terms' WHERE payment_method = 'card'")  # noqa: S608 - constants
    op.add_column("payment", sa.Column("operation_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("payment", sa.Column("fee_minor", db.Int64, nullable=False, server_default="0"))
    _create_provider_operation()
    _create_card_authorization()
    _create_provider_event()
    allow_values("journal_entry", {"debit": _AFTER, "credit": _AFTER})


def _create_provider_operation() -> None:
    texts = (
        "kind", "order_id", "customer_id", "currency", "state", "authorization_id", "subject_id", "token", "token_digest",
        "provider_id", "reason",
    )  # fmt: skip
    op.create_table(
        "provider_operation",
        sa.Column("operation_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("attempts", db.Int64, nullable=False),
        sa.Column("is_final", db.Flag(), nullable=False),
        sa.Column("is_abandoned", db.Flag(), nullable=False),
        sa.Column("asked_at", db.UtcDateTime(), nullable=False),
        sa.Column("next_at", db.UtcDateTime(), nullable=False),
        sa.Column("answered_at", db.UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('authorize', 'capture', 'void', 'refund')", name="provider_operation_kind"),
        sa.CheckConstraint("state IN ('asked', 'succeeded', 'declined', 'failed')", name="provider_operation_state"),
        sa.CheckConstraint("(answered_at IS NULL) = (state = 'asked')", name="provider_operation_answered"),
        sa.CheckConstraint("state = 'asked' OR token = ''", name="provider_operation_token"),
        sa.CheckConstraint("amount_minor >= 0", name="provider_operation_amount"),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="provider_operation_account",
        ),
        sa.PrimaryKeyConstraint("operation_id"),
        sqlite_strict=True,
    )
    op.create_index("provider_operation_of_order", "provider_operation", ["order_id", "kind"])
    op.create_index("provider_operation_of_subject", "provider_operation", ["subject_id", "kind"])
    op.create_index(
        "provider_operation_asked",
        "provider_operation",
        ["next_at"],
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )


def _create_card_authorization() -> None:
    op.create_table(
        "card_authorization",
        sa.Column("authorization_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("taken_minor", db.Int64, nullable=False),
        sa.Column("captured_minor", db.Int64, nullable=False),
        sa.Column("fee_minor", db.Int64, nullable=False),
        sa.Column("is_open", db.Flag(), nullable=False),
        sa.Column("is_disputed", db.Flag(), nullable=False),
        sa.Column("authorized_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="card_authorization_amount"),
        sa.CheckConstraint(
            "captured_minor >= 0 AND captured_minor <= taken_minor AND taken_minor <= amount_minor",
            name="card_authorization_taken",
        ),
        sa.CheckConstraint("fee_minor >= 0", name="card_authorization_fee"),
        sa.ForeignKeyConstraint(
            ["authorization_id"], ["provider_operation.operation_id"], name="card_authorization_operation"
        ),
        sa.PrimaryKeyConstraint("authorization_id"),
        sa.UniqueConstraint("provider_id", name="card_authorization_provider"),
        sqlite_strict=True,
    )
    op.create_index("card_authorization_of_order", "card_authorization", ["order_id", "authorization_id"])


def _create_provider_event() -> None:
    op.create_table(
        "provider_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("is_done", db.Flag(), nullable=False),
        sa.Column("received_at", db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "provider_event_new",
        "provider_event",
        ["received_at"],
        sqlite_where=sa.text("NOT is_done"),
        postgresql_where=sa.text("NOT is_done"),
    )


def downgrade() -> None:
    for table in ("provider_event", "card_authorization", "provider_operation"):
        op.drop_table(table)
    for column in ("fee_minor", "operation_id"):
        op.drop_column("payment", column)
    allow_values("journal_entry", {"debit": _BEFORE, "credit": _BEFORE})
