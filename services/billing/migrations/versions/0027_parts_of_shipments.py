"""Accounting may invoice a part of a shipment by hand: what of it is billed is kept by invoice."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE billable_line ADD COLUMN billed_quantity {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT billable_line_billed CHECK (billed_quantity >= 0 AND billed_quantity <= quantity)"
    )
    op.add_column("invoice", sa.Column("bills_parts", Flag(), nullable=False, server_default=sa.false()))
    op.create_table(
        "billable_part",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("shipment_id", "line_id", "invoice_id")),
        sa.Column("quantity", Int64, nullable=False),
        sa.CheckConstraint("quantity > 0", name="billable_part_quantity"),
        sa.ForeignKeyConstraint(
            ["shipment_id", "line_id"],
            ["billable_line.shipment_id", "billable_line.line_id"],
            name="billable_part_line",
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="billable_part_invoice"),
        sa.PrimaryKeyConstraint("shipment_id", "line_id", "invoice_id"),
        sqlite_strict=True,
    )
    op.create_index("billable_part_of_invoice", "billable_part", ["invoice_id"])


def downgrade() -> None:
    op.drop_table("billable_part")
    op.drop_column("invoice", "bills_parts")
    op.drop_column("billable_line", "billed_quantity")
