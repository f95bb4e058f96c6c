"""Goods that came back and went to their vendor are owed by it."""

from services.runtime.value_lists import allow_fewer, allow_more

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ACCOUNTS = ("debit", "credit")


def upgrade() -> None:
    allow_more("journal_entry", _ACCOUNTS, "vendor_claims")


def downgrade() -> None:
    allow_fewer("journal_entry", _ACCOUNTS, "vendor_claims")
