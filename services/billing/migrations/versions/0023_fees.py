"""An invoice may charge a fee of its order, which is income of its own."""

import sqlalchemy as sa
from alembic import op

from services.runtime.value_lists import allow_values

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "marketplace_clearing", "inventory", "goods_received_not_invoiced", "tax_payable",
    "unapplied_cash", "customer_deposits", "revenue", "freight_revenue", "sales_discounts", "sales_returns", "cost_of_goods_sold",
    "marketplace_fees", "shrinkage", "card_fees", "bad_debt", "deferred_revenue", "tax_on_deposits",
)  # fmt: skip
_AFTER = (*_BEFORE, "fee_income")


def upgrade() -> None:
    op.add_column("invoice", sa.Column("fee_id", sa.Text(), nullable=False, server_default=""))
    allow_values("journal_entry", {"debit": _AFTER, "credit": _AFTER})


def downgrade() -> None:
    allow_values("journal_entry", {"debit": _BEFORE, "credit": _BEFORE})
    op.drop_column("invoice", "fee_id")
