"""Invoices keep what their paper says of the order: its PO number, parties, days, way of payment and tax rate."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TEXTS = (
    "po_number", "ordered_on", "payment_method", "tax_rate", "bill_to_name", "ship_to_name", "ship_to_street", "ship_to_city",
    "ship_to_region", "ship_to_postal_code", "ship_to_country",
)  # fmt: skip


def upgrade() -> None:
    for name in _TEXTS:
        op.add_column("invoice", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in _TEXTS:
        op.drop_column("invoice", name)
