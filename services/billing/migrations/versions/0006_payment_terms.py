"""Invoices keep their terms: installments, discounts for paying early and the day of delivery; payments the day they came."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_values

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "inventory", "goods_received_not_invoiced", "tax_payable", "unapplied_cash", "customer_deposits",
    "revenue", "freight_revenue", "cost_of_goods_sold", "shrinkage",
)  # fmt: skip
_AFTER = (*_BEFORE[:9], "sales_discounts", *_BEFORE[9:])
_WAS_OPEN = sa.text("total_minor - paid_minor > 0")
_IS_OPEN = sa.text("total_minor - paid_minor - discount_taken_minor > 0")


def upgrade() -> None:
    words, count = sa.Text(), db.Int64
    for table, name, kind, unless in (
        ("invoice", "terms", words, ""),
        ("invoice", "calendar", words, ""),
        ("invoice", "early_discount_minor", count, "0"),
        ("invoice", "discount_until", words, ""),
        ("payment", "received_on", words, ""),
    ):
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=unless))
    is_postgres = op.get_bind().dialect.name == "postgresql"
    day = "to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if is_postgres else "substr(received_at, 1, 10)"
    op.execute(f"UPDATE payment SET received_on = {day}")  # noqa: S608 - constants
    integer = "BIGINT" if is_postgres else "INTEGER"
    op.execute(
        f"ALTER TABLE invoice ADD COLUMN discount_taken_minor {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT invoice_settled CHECK (discount_taken_minor >= 0 AND paid_minor + discount_taken_minor <= total_minor)"
    )
    _replace_index(_IS_OPEN)
    _create_tables()
    allow_values("journal_entry", {"debit": _AFTER, "credit": _AFTER})


def _replace_index(condition: sa.TextClause) -> None:
    op.drop_index("invoice_open", "invoice")
    op.create_index("invoice_open", "invoice", ["sequence"], sqlite_where=condition, postgresql_where=condition)


def _create_tables() -> None:
    op.create_table(
        "invoice_installment",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("position", db.Int64, nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name="invoice_installment_amount"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_installment_invoice"),
        sa.PrimaryKeyConstraint("invoice_id", "position"),
        sqlite_strict=True,
    )
    op.create_table(
        "delivery",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("delivered_on", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    allow_values("journal_entry", {"debit": _BEFORE, "credit": _BEFORE})
    op.drop_table("delivery")
    op.drop_table("invoice_installment")
    _replace_index(_WAS_OPEN)
    op.drop_column("payment", "received_on")
    for column in ("discount_taken_minor", "discount_until", "early_discount_minor", "calendar", "terms"):
        op.drop_column("invoice", column)
