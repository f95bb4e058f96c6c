"""Credit accounts have parents whose limits they count in too, and may be stopped by overdue invoices."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for column in (
        "parent_id TEXT NOT NULL DEFAULT '' CONSTRAINT credit_account_parent CHECK (parent_id <> customer_id)",
        "family_id TEXT NOT NULL DEFAULT ''",
        f"overdue_days {integer}",
        f"overdue_minor {integer} CONSTRAINT credit_account_overdue CHECK (overdue_days >= 0 AND overdue_minor >= 0)",
    ):
        op.execute(f"ALTER TABLE credit_account ADD COLUMN {column}")
    op.execute("UPDATE credit_account SET family_id = customer_id")
    op.create_index("credit_account_family", "credit_account", ["currency", "family_id"])


def downgrade() -> None:
    op.drop_index("credit_account_family", "credit_account")
    for column in ("overdue_minor", "overdue_days", "family_id", "parent_id"):
        op.drop_column("credit_account", column)
