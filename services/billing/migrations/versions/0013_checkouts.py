"""Pages of the payment provider on which a person enters a card."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TO_BE_READ = "state = 'open' AND kind = 'payment'"
_HAS_PROVIDER_ID = "provider_id <> ''"


def upgrade() -> None:
    texts = (
        "kind", "order_id", "invoice_id", "customer_id", "currency", "state", "provider_id", "url", "token_digest",
    )  # fmt: skip
    op.create_table(
        "checkout",
        sa.Column("checkout_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("attempts", db.Int64, nullable=False),
        sa.Column("asked_at", db.UtcDateTime(), nullable=False),
        sa.Column("next_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('setup', 'payment')", name="checkout_kind"),
        sa.CheckConstraint("state IN ('asked', 'open', 'complete', 'expired')", name="checkout_state"),
        sa.CheckConstraint("(kind = 'payment') = (amount_minor > 0)", name="checkout_amount"),
        sa.CheckConstraint("(kind = 'payment') = (invoice_id <> '')", name="checkout_invoice"),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="checkout_account",
        ),
        sa.PrimaryKeyConstraint("checkout_id"),
        sqlite_strict=True,
    )
    op.create_index("checkout_of_subject", "checkout", ["order_id", "invoice_id", "asked_at"])
    for name, column, where, is_unique in (
        ("checkout_of_provider", "provider_id", _HAS_PROVIDER_ID, True),
        ("checkout_to_be_read", "next_at", _TO_BE_READ, False),
    ):
        op.create_index(
            name, "checkout", [column], unique=is_unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )


def downgrade() -> None:
    op.drop_table("checkout")
