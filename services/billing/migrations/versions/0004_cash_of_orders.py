"""Cash is held for orders, orders wait for it, and a payment can be reversed and reapplied; the ledger knows customers' deposits."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "inventory", "goods_received_not_invoiced", "tax_payable", "unapplied_cash", "revenue",
    "freight_revenue", "cost_of_goods_sold", "shrinkage",
)  # fmt: skip
_AFTER = (*_BEFORE[:6], "customer_deposits", *_BEFORE[6:])
_COLUMNS = "entry_id, debit, credit, amount_minor, currency, source_type, source_id, event, order_id, memo, posted_at"


def upgrade() -> None:
    nothing = {"nullable": False, "server_default": "0"}
    op.add_column("commitment", sa.Column("payment_method", sa.Text(), nullable=False, server_default="terms"))
    op.add_column("commitment", sa.Column("deposit_minor", db.Int64, **nothing))
    op.add_column("payment", sa.Column("is_on_account", db.Flag(), nullable=False, server_default=sa.false()))
    op.add_column("payment", sa.Column("returned_minor", db.Int64, **nothing))
    op.add_column("payment", sa.Column("reversed_at", db.UtcDateTime(), nullable=True))
    op.add_column("payment", sa.Column("revision", db.Int64, **nothing))
    _create_credit_wait()
    _create_order_deposit()
    _allow_accounts(_AFTER)


def _create_credit_wait() -> None:
    op.create_table(
        "credit_wait",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("deposit_minor", db.Int64, nullable=False),
        sa.Column("waiting_since", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name="credit_wait_amount"),
        sa.CheckConstraint("deposit_minor >= 0", name="credit_wait_deposit"),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="credit_wait_account",
        ),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_index("credit_wait_of_account", "credit_wait", ["customer_id", "currency", "waiting_since"])


def _create_order_deposit() -> None:
    op.create_table(
        "order_deposit",
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("remaining_minor", db.Int64, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="order_deposit_amount"),
        sa.CheckConstraint("remaining_minor >= 0 AND remaining_minor <= amount_minor", name="order_deposit_remaining"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="order_deposit_payment"),
        sa.PrimaryKeyConstraint("payment_id", "order_id"),
        sqlite_strict=True,
    )
    op.create_index("order_deposit_of_order", "order_deposit", ["order_id", "payment_id"])


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
    op.drop_table("order_deposit")
    op.drop_table("credit_wait")
    for column in ("revision", "reversed_at", "returned_minor", "is_on_account"):
        op.drop_column("payment", column)
    for column in ("deposit_minor", "payment_method"):
        op.drop_column("commitment", column)
    _allow_accounts(_BEFORE)
