"""Deposit invoices, credit notes of them, and what invoices deduct; the books know the tax on deposits."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_values

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "marketplace_clearing", "inventory", "goods_received_not_invoiced", "tax_payable",
    "unapplied_cash", "customer_deposits", "revenue", "freight_revenue", "sales_discounts", "sales_returns", "cost_of_goods_sold",
    "marketplace_fees", "shrinkage", "card_fees", "bad_debt", "deferred_revenue",
)  # fmt: skip
_AFTER = (*_BEFORE, "tax_on_deposits")
_SOURCES_BEFORE = ("invoice", "payment", "stock_movement", "payout", "credit_note", "write_off", "shipment")
_SOURCES_AFTER = (*_SOURCES_BEFORE, "deposit_invoice")
_TEXTS = (
    "deposit_invoice_id", "kind", "number", "corrects", "corrected_on", "reason", "order_id", "order_number", "customer_id",
    "currency", "invoiced_on", "received_on", "po_number", "ordered_on", "payment_method", "tax_rate", "tax_on", "tax_exemption",
    "customer_tax_id", "bill_to_name", "ship_to_name", "ship_to_street", "ship_to_city", "ship_to_region", "ship_to_postal_code",
    "ship_to_country", "billing_name", "billing_street", "billing_city", "billing_region", "billing_postal_code", "billing_country",
)  # fmt: skip
_AMOUNTS = ("sequence", "total_minor", "tax_minor", "deducted_minor", "credited_minor")
_CHECKS = {
    "kind": "kind IN ('invoice', 'credit_note')",
    "corrects": "(kind = 'credit_note') = (corrects <> '')",
    "total": "total_minor > 0 AND tax_minor >= 0 AND tax_minor <= total_minor",
    "used": "deducted_minor >= 0 AND credited_minor >= 0 AND deducted_minor + credited_minor <= total_minor",
}


def upgrade() -> None:
    _create_deposit_invoice()
    _create_parts()
    _create_deductions()
    allow_values("journal_entry", {"debit": _AFTER, "credit": _AFTER, "source_type": _SOURCES_AFTER})


def _create_deposit_invoice() -> None:
    op.create_table(
        "deposit_invoice",
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, db.Int64, nullable=False) for name in _AMOUNTS),
        sa.Column("issued_at", db.UtcDateTime(), nullable=False),
        *(sa.CheckConstraint(check, name=f"deposit_invoice_{name}") for name, check in _CHECKS.items()),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="deposit_invoice_account",
        ),
        sa.PrimaryKeyConstraint("deposit_invoice_id"),
        sa.UniqueConstraint("kind", "sequence", name="deposit_invoice_sequence"),
        sa.UniqueConstraint("number", name="deposit_invoice_number"),
        sqlite_strict=True,
    )
    op.create_index("deposit_invoice_of_order", "deposit_invoice", ["order_id", "deposit_invoice_id"])
    op.create_index("deposit_invoice_of_customer", "deposit_invoice", ["customer_id", "deposit_invoice_id"])


def _create_parts() -> None:
    amounts = ("position", "net_minor", "tax_minor", "left_net_minor", "left_tax_minor")
    op.create_table(
        "deposit_invoice_part",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("deposit_invoice_id", "code", "rate", "reason")),
        *(sa.Column(name, db.Int64, nullable=False) for name in amounts),
        sa.CheckConstraint("net_minor >= 0 AND tax_minor >= 0", name="deposit_invoice_part_amounts"),
        sa.CheckConstraint(
            "left_net_minor >= 0 AND left_net_minor <= net_minor AND left_tax_minor >= 0 AND left_tax_minor <= tax_minor",
            name="deposit_invoice_part_left",
        ),
        sa.ForeignKeyConstraint(
            ["deposit_invoice_id"], ["deposit_invoice.deposit_invoice_id"], name="deposit_invoice_part_invoice"
        ),
        sa.PrimaryKeyConstraint("deposit_invoice_id", "position"),
        sqlite_strict=True,
    )


def _create_deductions() -> None:
    op.create_table(
        "deposit_deduction",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("deposit_invoice_id", "invoice_id")),
        *(sa.Column(name, db.Int64, nullable=False) for name in ("amount_minor", "tax_minor")),
        sa.CheckConstraint(
            "amount_minor > 0 AND tax_minor >= 0 AND tax_minor <= amount_minor", name="deposit_deduction_amounts"
        ),
        sa.ForeignKeyConstraint(
            ["deposit_invoice_id"], ["deposit_invoice.deposit_invoice_id"], name="deposit_deduction_deposit"
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="deposit_deduction_invoice"),
        sa.PrimaryKeyConstraint("deposit_invoice_id", "invoice_id"),
        sqlite_strict=True,
    )
    op.create_index("deposit_deduction_of_invoice", "deposit_deduction", ["invoice_id"])


def downgrade() -> None:
    allow_values("journal_entry", {"debit": _BEFORE, "credit": _BEFORE, "source_type": _SOURCES_BEFORE})
    for table in ("deposit_deduction", "deposit_invoice_part", "deposit_invoice"):
        op.drop_table(table)
