"""Taxes by place and category: rates, who is exempt, and how an order and its lines are taxed."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_TEXTS = {
    "customer": {"tax_id": ""},
    "product": {"tax_category": "standard"},
    "sales_order": {"customer_tax_id": ""},
    "order_line": {"tax_category": "standard", "tax_code": "", "tax_rate": "", "tax_reason": ""},
}
_KEY = ("country", "region", "postal_prefix", "category", "valid_from")


def upgrade() -> None:
    for table, columns in _TEXTS.items():
        for name, default in columns.items():
            op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=default))
    op.add_column("customer", sa.Column("tax_exemptions", db.JsonText(), nullable=False, server_default="[]"))
    op.add_column("sales_order", sa.Column("taxation", db.JsonText(), nullable=True))
    op.create_table(
        "tax_rate",
        *(sa.Column(name, sa.Text(), nullable=False) for name in (*_KEY, "rate", "reason")),
        sa.Column("version", db.Int64, nullable=False, server_default="1"),
        sa.Column("changed_at", db.UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("tax_rate")
    op.drop_column("sales_order", "taxation")
    op.drop_column("customer", "tax_exemptions")
    for table, columns in _TEXTS.items():
        for name in columns:
            op.drop_column(table, name)
