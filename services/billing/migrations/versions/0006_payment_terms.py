"""Invoices keep their terms: installments, discounts for paying early and the day of delivery; payments the day they came."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "inventory", "goods_received_not_invoiced", "tax_payable", "unapplied_cash", "customer_deposits",
    "revenue", "freight_revenue", "cost_of_goods_sold", "shrinkage",
)  # fmt: skip
_AFTER = (*_BEFORE[:9], "sales_discounts", *_BEFORE[9:])
_COLUMNS = "entry_id, debit, credit, amount_minor, currency, source_type, source_id, event, order_id, memo, posted_at"
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
    _allow_accounts(_AFTER)


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


def _allow_accounts(accounts: tuple[str, ...]) -> None:
    """SQLite changes no constraint: the table is written anew there, under its name."""
    if op.get_bind().dialect.name == "postgresql":
        for side in ("debit", "credit"):
            op.drop_constraint(f"journal_entry_{side}", "journal_entry", type_="check")
            op.create_check_constraint(f"journal_entry_{side}", "journal_entry", _one_of(side, accounts))
        return
    op.drop_index("journal_entry_of_order", "journal_entry")
    op.rename_table("journal_entry", "journal_entry_before")
    _create_journal_entry(accounts)
    op.execute(f"INSERT INTO journal_entry ({_COLUMNS}) SELECT {_COLUMNS} FROM journal_entry_before")  # noqa: S608 - constants
    op.drop_table("journal_entry_before")
    op.create_index("journal_entry_of_order", "journal_entry", ["order_id"])


def _create_journal_entry(accounts: tuple[str, ...]) -> None:
    texts = ("source_type", "source_id", "event", "order_id", "memo")
    op.create_table(
        "journal_entry",
        sa.Column("entry_id", db.Int64, nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("posted_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint(_one_of("credit", accounts), name="journal_entry_credit"),
        sa.CheckConstraint(_one_of("debit", accounts), name="journal_entry_debit"),
        sa.CheckConstraint("source_type IN ('invoice', 'payment', 'stock_movement')", name="journal_entry_source_type"),
        sa.CheckConstraint("amount_minor > 0", name="journal_entry_amount"),
        sa.CheckConstraint("debit <> credit", name="journal_entry_sides"),
        sa.PrimaryKeyConstraint("entry_id"),
        sa.UniqueConstraint("source_type", "source_id", "event", name="journal_entry_source"),
        sqlite_strict=True,
    )


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def downgrade() -> None:
    _allow_accounts(_BEFORE)
    op.drop_table("delivery")
    op.drop_table("invoice_installment")
    _replace_index(_WAS_OPEN)
    op.drop_column("payment", "received_on")
    for column in ("discount_taken_minor", "discount_until", "early_discount_minor", "calendar", "terms"):
        op.drop_column("invoice", column)
