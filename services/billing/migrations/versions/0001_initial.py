"""Credit accounts, commitments, invoices, payments, the ledger, and the tables every service has."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_number", db.Int64, nullable=False),
        sa.CheckConstraint("last_number >= 0", name="counter_last_number"),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    op.create_table(
        "credit_account",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("limit_minor", db.Int64, nullable=False),
        sa.Column("committed_minor", db.Int64, nullable=False),
        sa.Column("receivable_minor", db.Int64, nullable=False),
        sa.Column("net_days", db.Int64, nullable=False),
        sa.CheckConstraint("committed_minor >= 0", name="credit_account_committed"),
        sa.CheckConstraint("limit_minor >= 0", name="credit_account_limit"),
        sa.CheckConstraint("net_days >= 0", name="credit_account_net_days"),
        sa.PrimaryKeyConstraint("customer_id", "currency"),
        sqlite_strict=True,
    )
    op.create_table(
        "journal_entry",
        sa.Column("entry_id", db.Int64, nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("posted_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "credit IN ('cash', 'accounts_receivable', 'inventory', 'goods_received_not_invoiced', 'tax_payable', 'unapplied_cash', 'revenue', 'freight_revenue', 'cost_of_goods_sold', 'shrinkage')",
            name="journal_entry_credit",
        ),
        sa.CheckConstraint(
            "debit IN ('cash', 'accounts_receivable', 'inventory', 'goods_received_not_invoiced', 'tax_payable', 'unapplied_cash', 'revenue', 'freight_revenue', 'cost_of_goods_sold', 'shrinkage')",
            name="journal_entry_debit",
        ),
        sa.CheckConstraint("source_type IN ('invoice', 'payment', 'stock_movement')", name="journal_entry_source_type"),
        sa.CheckConstraint("amount_minor > 0", name="journal_entry_amount"),
        sa.CheckConstraint("debit <> credit", name="journal_entry_sides"),
        sa.PrimaryKeyConstraint("entry_id"),
        sa.UniqueConstraint("source_type", "source_id", "event", name="journal_entry_source"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.create_index("journal_entry_of_order", ["order_id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("position", db.Int64, autoincrement=True, nullable=False),
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("sequence", db.Int64, nullable=False),
        sa.Column("detail", db.JsonText(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", db.Int64, nullable=False),
        sa.Column("retry_at", db.UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("fact_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "outbox_unsent",
            ["position"],
            unique=False,
            sqlite_where=sa.text("state = 'unsent'"),
            postgresql_where=sa.text("state = 'unsent'"),
        )

    op.create_table(
        "outbox_counters",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sequence", db.Int64, nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "commitment",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("remaining_minor", db.Int64, nullable=False),
        sa.Column("invoiced_minor", db.Int64, nullable=False),
        sa.Column("released_minor", db.Int64, nullable=False),
        sa.Column("is_released", db.Flag(), nullable=False),
        sa.CheckConstraint("amount_minor = remaining_minor + invoiced_minor + released_minor", name="commitment_sum"),
        sa.CheckConstraint("invoiced_minor >= 0 AND released_minor >= 0", name="commitment_parts"),
        sa.CheckConstraint("remaining_minor >= 0", name="commitment_remaining"),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="commitment_account",
        ),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("commitment", schema=None) as batch_op:
        batch_op.create_index("commitment_of_account", ["customer_id", "currency"], unique=False)

    op.create_table(
        "invoice",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("sequence", db.Int64, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("invoiced_on", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("merchandise_minor", db.Int64, nullable=False),
        sa.Column("discount_minor", db.Int64, nullable=False),
        sa.Column("freight_minor", db.Int64, nullable=False),
        sa.Column("tax_minor", db.Int64, nullable=False),
        sa.Column("total_minor", db.Int64, nullable=False),
        sa.Column("paid_minor", db.Int64, nullable=False),
        sa.Column("issued_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("discount_minor <= merchandise_minor", name="invoice_discount"),
        sa.CheckConstraint("due_on >= invoiced_on", name="invoice_due"),
        sa.CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0",
            name="invoice_parts",
        ),
        sa.CheckConstraint("paid_minor >= 0 AND paid_minor <= total_minor", name="invoice_paid"),
        sa.CheckConstraint("sequence > 0", name="invoice_sequence_positive"),
        sa.CheckConstraint(
            "total_minor = merchandise_minor - discount_minor + freight_minor + tax_minor", name="invoice_total"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="invoice_account",
        ),
        sa.PrimaryKeyConstraint("invoice_id"),
        sa.UniqueConstraint("number", name="invoice_number"),
        sa.UniqueConstraint("sequence", name="invoice_sequence"),
        sa.UniqueConstraint("shipment_id", name="invoice_shipment"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index("invoice_of_customer", ["customer_id", "currency", "due_on"], unique=False)
        batch_op.create_index("invoice_of_order", ["order_id"], unique=False)

    op.create_table(
        "payment",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("unapplied_minor", db.Int64, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="payment_amount"),
        sa.CheckConstraint("unapplied_minor >= 0 AND unapplied_minor <= amount_minor", name="payment_unapplied"),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="payment_account",
        ),
        sa.PrimaryKeyConstraint("payment_id"),
        sa.UniqueConstraint("customer_id", "reference", name="payment_reference"),
        sqlite_strict=True,
    )
    op.create_table(
        "invoice_line",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("position", db.Int64, nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", db.Int64, nullable=False),
        sa.Column("unit_price", sa.Text(), nullable=False),
        sa.Column("extended_minor", db.Int64, nullable=False),
        sa.CheckConstraint("extended_minor >= 0", name="invoice_line_extended"),
        sa.CheckConstraint("quantity > 0", name="invoice_line_quantity"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_line_invoice"),
        sa.PrimaryKeyConstraint("invoice_id", "line_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "payment_application",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("applied_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="payment_application_amount"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="payment_application_invoice"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="payment_application_payment"),
        sa.PrimaryKeyConstraint("payment_id", "invoice_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("payment_application", schema=None) as batch_op:
        batch_op.create_index("payment_application_of_invoice", ["invoice_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("payment_application", schema=None) as batch_op:
        batch_op.drop_index("payment_application_of_invoice")

    op.drop_table("payment_application")
    op.drop_table("invoice_line")
    op.drop_table("payment")
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index("invoice_of_order")
        batch_op.drop_index("invoice_of_customer")

    op.drop_table("invoice")
    with op.batch_alter_table("commitment", schema=None) as batch_op:
        batch_op.drop_index("commitment_of_account")

    op.drop_table("commitment")
    op.drop_table("outbox_counters")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "outbox_unsent", sqlite_where=sa.text("state = 'unsent'"), postgresql_where=sa.text("state = 'unsent'")
        )

    op.drop_table("outbox")
    with op.batch_alter_table("journal_entry", schema=None) as batch_op:
        batch_op.drop_index("journal_entry_of_order")

    op.drop_table("journal_entry")
    op.drop_table("credit_account")
    op.drop_table("counter")
    op.drop_table("answers")
