"""Orders settled elsewhere: what marketplaces and tills owe for them, and their payouts."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

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
_COLUMNS = "entry_id, debit, credit, amount_minor, currency, source_type, source_id, event, order_id, memo, posted_at"
_OPEN_BEFORE = "total_minor - paid_minor - discount_taken_minor > 0"
_OPEN_AFTER = "total_minor - paid_minor - discount_taken_minor - settled_elsewhere_minor > 0"


def upgrade() -> None:
    op.add_column("invoice", sa.Column("settled_elsewhere_minor", db.Int64, nullable=False, server_default="0"))
    _index_open(_OPEN_AFTER)
    _create_sale()
    _create_payout()
    _allow(_AFTER, _SOURCES_AFTER)


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


def _allow(accounts: tuple[str, ...], sources: tuple[str, ...]) -> None:
    """SQLite changes no constraint: the table is written anew there, under its name."""
    lists = {"debit": accounts, "credit": accounts, "source_type": sources}
    if op.get_bind().dialect.name == "postgresql":
        for column, words in lists.items():
            op.drop_constraint(f"journal_entry_{column}", "journal_entry", type_="check")
            op.create_check_constraint(f"journal_entry_{column}", "journal_entry", _one_of(column, words))
        return
    op.drop_index("journal_entry_of_order", "journal_entry")
    op.rename_table("journal_entry", "journal_entry_before")
    _create_journal_entry(lists)
    op.execute(f"INSERT INTO journal_entry ({_COLUMNS}) SELECT {_COLUMNS} FROM journal_entry_before")  # noqa: S608 - constants
    op.drop_table("journal_entry_before")
    op.create_index("journal_entry_of_order", "journal_entry", ["order_id"])


def _create_journal_entry(lists: dict[str, tuple[str, ...]]) -> None:
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
        *(
            sa.CheckConstraint(_one_of(column, words), name=f"journal_entry_{column}")
            for column, words in lists.items()
        ),
        sa.CheckConstraint("amount_minor > 0", name="journal_entry_amount"),
        sa.CheckConstraint("debit <> credit", name="journal_entry_sides"),
        sa.PrimaryKeyConstraint("entry_id"),
        sa.UniqueConstraint("source_type", "source_id", "event", name="journal_entry_source"),
        sqlite_strict=True,
    )


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def downgrade() -> None:
    op.drop_table("payout_line")
    op.drop_table("payout")
    op.drop_table("marketplace_sale")
    _index_open(_OPEN_BEFORE)
    op.drop_column("invoice", "settled_elsewhere_minor")
    _allow(_BEFORE, _SOURCES_BEFORE)
