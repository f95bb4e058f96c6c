"""Returns are credited: a credit note names its return, and keeps what of it is a restocking fee; each part of its cash goes back once."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_fewer, allow_more

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ACCOUNTS = ("debit", "credit")
_NEW = ("inventory_in_quarantine", "inventory_write_offs")


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE credit_note ADD COLUMN fee_minor {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT credit_note_fee CHECK (fee_minor >= 0 AND fee_minor <= open_minor + cash_minor)"
    )
    op.add_column("credit_note", sa.Column("return_id", sa.Text(), nullable=False, server_default=""))
    is_of_return = sa.text("return_id <> ''")
    op.create_index(
        "credit_note_of_return", "credit_note", ["return_id"], sqlite_where=is_of_return, postgresql_where=is_of_return
    )
    op.create_table(
        "return_refund",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("credit_note_id", "payment_id", "request_id")),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("refunded_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="return_refund_amount"),
        sa.ForeignKeyConstraint(
            ["credit_note_id", "payment_id"],
            ["credit_note_cash.credit_note_id", "credit_note_cash.payment_id"],
            name="return_refund_cash",
        ),
        sa.PrimaryKeyConstraint("credit_note_id", "payment_id"),
        sqlite_strict=True,
    )
    allow_more("journal_entry", _ACCOUNTS, *_NEW)


def downgrade() -> None:
    allow_fewer("journal_entry", _ACCOUNTS, *_NEW)
    op.drop_table("return_refund")
    op.drop_index("credit_note_of_return", "credit_note")
    op.drop_column("credit_note", "return_id")
    op.drop_column("credit_note", "fee_minor")
