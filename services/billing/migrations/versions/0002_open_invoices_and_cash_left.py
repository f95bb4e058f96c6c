"""Open invoices and cash that is left over are found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("total_minor - paid_minor > 0")
_HAS_CASH = sa.text("unapplied_minor > 0")


def upgrade() -> None:
    op.create_index("invoice_open", "invoice", ["sequence"], sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)
    op.create_index(
        "payment_with_cash_left",
        "payment",
        ["customer_id", "currency", "payment_id"],
        sqlite_where=_HAS_CASH,
        postgresql_where=_HAS_CASH,
    )


def downgrade() -> None:
    op.drop_index("payment_with_cash_left", "payment")
    op.drop_index("invoice_open", "invoice")
