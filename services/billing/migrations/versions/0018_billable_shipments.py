"""Every shipment that left is kept, with the invoice that bills it: one invoice may bill several."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_POLICIES = "'per_shipment', 'per_delivery', 'weekly', 'monthly', 'manual'"
_WAITS = sa.text("invoice_id IS NULL")
_INVOICED = """
INSERT INTO billable_shipment (shipment_id, order_id, order_number, customer_id, currency, policy, shipped_on, invoice_on,
  amount_minor, draft_id, invoice_id, recorded_at)
SELECT shipment_id, order_id, order_number, customer_id, currency, 'per_shipment', invoiced_on, invoiced_on,
  total_minor, '', invoice_id, issued_at FROM invoice ORDER BY sequence
"""


def upgrade() -> None:
    op.add_column("invoice", sa.Column("shipment_ids", sa.Text(), nullable=False, server_default=""))
    texts = ("shipment_id", "order_id", "order_number", "customer_id", "currency", "policy", "shipped_on", "invoice_on")
    op.create_table(
        "billable_shipment",
        sa.Column("position", db.Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("recorded_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(f"policy IN ({_POLICIES})", name="billable_shipment_policy"),
        sa.CheckConstraint("amount_minor >= 0", name="billable_shipment_amount"),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="billable_shipment_account",
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="billable_shipment_invoice"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("shipment_id", name="billable_shipment_once"),
        sqlite_strict=True,
    )
    op.create_table(
        "billable_line",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("quantity", db.Int64, nullable=False),
        sa.CheckConstraint("quantity > 0", name="billable_line_quantity"),
        sa.ForeignKeyConstraint(["shipment_id"], ["billable_shipment.shipment_id"], name="billable_line_shipment"),
        sa.PrimaryKeyConstraint("shipment_id", "line_id"),
        sqlite_strict=True,
    )
    _create_drafts()
    op.execute(_INVOICED)
    op.create_index("billable_shipment_of_order", "billable_shipment", ["order_id"])
    op.create_index("billable_shipment_of_invoice", "billable_shipment", ["invoice_id"])
    for name, columns, where in (
        ("billable_shipment_due", ["invoice_on", "order_id"], _WAITS),
        ("billable_shipment_of_draft", ["draft_id"], sa.text("draft_id <> ''")),
    ):
        op.create_index(name, "billable_shipment", columns, sqlite_where=where, postgresql_where=where)


def _create_drafts() -> None:
    op.create_table(
        "invoicing_block",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("least_version", db.Int64, nullable=False),
        sa.Column("blocked_until", db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "invoice_draft",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("draft_id", "order_id", "order_number", "customer_id", "currency", "state", "made_by")
        ),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("made_at", db.UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", db.UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("ended_at", db.UtcDateTime(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'approved', 'posted', 'discarded')", name="invoice_draft_state"),
        sa.CheckConstraint("(state = 'posted') = (invoice_id IS NOT NULL)", name="invoice_draft_posted"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_draft_invoice"),
        sa.PrimaryKeyConstraint("draft_id"),
        sqlite_strict=True,
    )
    is_open = sa.text("state IN ('draft', 'approved')")
    op.create_index("invoice_draft_open", "invoice_draft", ["draft_id"], sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    for table in ("invoice_draft", "invoicing_block"):
        op.drop_table(table)
    op.drop_table("billable_line")
    op.drop_table("billable_shipment")
    op.drop_column("invoice", "shipment_ids")
