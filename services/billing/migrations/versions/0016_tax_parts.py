"""Invoices say what of them is taxed in one way, by which rule, and for whom."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_AMOUNTS = ("merchandise_minor", "discount_minor", "freight_minor", "tax_minor")
_HEADER = ("tax_on", "tax_exemption", "customer_tax_id")


def upgrade() -> None:
    op.create_table(
        "invoice_tax_part",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("position", db.Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tax_key", "code", "rate", "reason")),
        *(sa.Column(name, db.Int64, nullable=False) for name in _AMOUNTS),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_tax_part_invoice"),
        sa.CheckConstraint(" AND ".join(f"{name} >= 0" for name in _AMOUNTS), name="invoice_tax_part_amounts"),
        sa.CheckConstraint("discount_minor <= merchandise_minor", name="invoice_tax_part_discount"),
        sa.PrimaryKeyConstraint("invoice_id", "position"),
        sqlite_strict=True,
    )
    for name in _HEADER:
        op.add_column("invoice", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("invoice_line", sa.Column("tax_key", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("invoice_line", "tax_key")
    for name in _HEADER:
        op.drop_column("invoice", name)
    op.drop_table("invoice_tax_part")
