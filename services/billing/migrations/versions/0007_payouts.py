"""Orders settled elsewhere: what marketplaces and tills owe for them, and their payouts."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_values

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "inventory", "goods_received_not_invoiced", "tax_payable", "unapplied_cash",
    "customer_deposits", "revenue", "freight_revenue", "sales_discounts", "cost_of_goods_sold", "shrinkage",
)  # fmt: skip
_AFTER = (*_BEFORE, "marketplace_clearing", "marketplace_fees")
_SOURCES_BEFORE = ("invoice", "payment", "stock_movement")
_SOURCES_AFTER = (*_SOURCES_BEFORE, "payout")
_OPEN_BEFORE = "total_minor - paid_minor - discount_taken_minor > 0"
_OPEN_AFTER = "total_minor - paid_minor - discount_taken_minor - settled_elsewhere_minor > 0"


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE invoice ADD COLUMN settled_elsewhere_minor {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT invoice_settled_elsewhere CHECK (settled_elsewhere_minor >= 0)"
    )
    _index_open(_OPEN_AFTER)
    _create_sale()
    _create_payout()
    allow_values("journal_entry", {"debit": _AFTER, "credit": _AFTER, "source_type": _SOURCES_AFTER})


def _index_open(is_open: str) -> None:
    op.drop_index("invoice_open", "invoice")
    op.create_index(
        "invoice_open", "invoice", ["sequence"], sqlite_where=sa.text(is_open), postgresql_where=sa.text(is_open)
    )


def _create_sale() -> None:
    op.create_table(
        "marketplace_sale",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("channel", "reference_key", "currency")),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("reference", "order_id", "order_number", "customer_id")
        ),
        sa.Column("due_minor", db.Int64, nullable=False),
        sa.Column("announced_fees_minor", db.Int64, nullable=True),
        sa.Column("sold_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("due_minor >= 0", name="marketplace_sale_due"),
        sa.PrimaryKeyConstraint("channel", "reference_key", "currency"),
        sqlite_strict=True,
    )


def _create_payout() -> None:
    op.create_table(
        "payout",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("payout_id", "channel", "reference", "reference_key", "currency")
        ),
        *(sa.Column(name, db.Int64, nullable=False) for name in ("amount_minor", "fees_minor")),
        sa.Column("recorded_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name="payout_amount"),
        sa.CheckConstraint("fees_minor >= 0", name="payout_fees"),
        sa.PrimaryKeyConstraint("payout_id"),
        sa.UniqueConstraint("channel", "reference_key", name="payout_reference"),
        sqlite_strict=True,
    )
    op.create_table(
        "payout_line",
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("position", db.Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("channel", "reference", "reference_key", "currency")),
        *(sa.Column(name, db.Int64, nullable=False) for name in ("amount_minor", "fees_minor")),
        sa.CheckConstraint("amount_minor >= 0 AND fees_minor >= 0", name="payout_line_amounts"),
        sa.CheckConstraint("amount_minor + fees_minor > 0", name="payout_line_something"),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.payout_id"], name="payout_line_payout"),
        sa.PrimaryKeyConstraint("payout_id", "position"),
        sqlite_strict=True,
    )
    op.create_index("payout_line_of_sale", "payout_line", ["channel", "reference_key"])


def downgrade() -> None:
    op.drop_table("payout_line")
    op.drop_table("payout")
    op.drop_table("marketplace_sale")
    _index_open(_OPEN_BEFORE)
    op.drop_column("invoice", "settled_elsewhere_minor")
    allow_values("journal_entry", {"debit": _BEFORE, "credit": _BEFORE, "source_type": _SOURCES_BEFORE})
