"""A ship confirm that was a mistake is reversed: what it had billed counts as not billed any more."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_AMOUNTS = tuple(f"reversed_{name}_minor" for name in ("merchandise", "discount", "freight", "tax"))
_COLUMNS = {
    "invoice": _AMOUNTS,
    "invoice_line": ("reversed_quantity", "reversed_extended_minor"),
    "invoice_tax_part": _AMOUNTS,
}


def upgrade() -> None:
    for table, names in _COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, Int64, nullable=False, server_default="0"))
    op.add_column("credit_note", sa.Column("is_held", Flag(), nullable=False, server_default=sa.false()))
    op.create_table(
        "shipment_reversal",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("shipment_id", "shipment_number", "order_id", "currency", "outcome")
        ),
        *(sa.Column(name, Int64, nullable=False) for name in ("amount_minor", "held_minor")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("invoice_id", "credit_note_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reversed_by", "reason")),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("outcome IN ('credited', 'unqueued', 'deferred', 'none')", name="shipment_reversal_outcome"),
        sa.CheckConstraint("(outcome = 'credited') = (invoice_id IS NOT NULL)", name="shipment_reversal_credited"),
        sa.CheckConstraint(
            "amount_minor >= 0 AND held_minor BETWEEN 0 AND amount_minor", name="shipment_reversal_amounts"
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="shipment_reversal_invoice"),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="shipment_reversal_note"),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )
    op.create_index("shipment_reversal_of_order", "shipment_reversal", ["order_id"])


def downgrade() -> None:
    op.drop_table("shipment_reversal")
    op.drop_column("credit_note", "is_held")
    for table, names in _COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
