"""An expected receipt is one of its reference, can be changed and cancelled, and what became of it is kept; a warehouse has lead days."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        "ALTER TABLE expected_receipt ADD COLUMN kind TEXT NOT NULL DEFAULT 'purchase_order' "
        "CONSTRAINT expected_receipt_kind CHECK (kind IN ('purchase_order', 'work_order', 'transfer'))"
    )
    op.execute(
        f"ALTER TABLE expected_receipt ADD COLUMN cancelled_quantity {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT expected_receipt_cancelled "
        "CHECK (cancelled_quantity >= 0 AND remaining_quantity + cancelled_quantity <= quantity)"
    )
    op.execute(
        f"ALTER TABLE reservation_candidate ADD COLUMN lead_days {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT reservation_candidate_lead CHECK (lead_days >= 0)"
    )
    _name_each_once()
    named = sa.text("reference <> ''")
    op.create_index(
        "expected_receipt_reference", "expected_receipt", ["reference", "sku", "warehouse_id"],
        unique=True, sqlite_where=named, postgresql_where=named,
    )  # fmt: skip
    op.create_table(
        "supply_change",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("change_id", "expected_receipt_id", "verb")),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("changed_by", "reason", "expected_on")),
        sa.Column("remaining_quantity", Int64, nullable=False),
        sa.CheckConstraint("verb IN ('announced', 'changed', 'cancelled', 'received')", name="supply_change_verb"),
        sa.CheckConstraint("remaining_quantity >= 0", name="supply_change_remaining"),
        sa.ForeignKeyConstraint(
            ["expected_receipt_id"], ["expected_receipt.expected_receipt_id"], name="supply_change_of_receipt"
        ),
        sa.PrimaryKeyConstraint("change_id"),
        sqlite_strict=True,
    )
    op.create_index("supply_change_of_receipt", "supply_change", ["expected_receipt_id", "changed_at"])


def _name_each_once() -> None:
    """The same reference was announced twice: each keeps what it announced, the later ones under a name of their own."""
    connection, seen = op.get_bind(), set[tuple[str, str, str]]()
    receipts = sa.table(
        "expected_receipt", *map(sa.column, ("expected_receipt_id", "warehouse_id", "sku", "reference"))
    )
    rows = connection.execute(sa.select(receipts).order_by(receipts.c.expected_receipt_id)).all()
    taken = {(row.warehouse_id, row.sku, row.reference) for row in rows}
    for row in rows:
        name, number = row.reference, 1
        while name and (row.warehouse_id, row.sku, name) in (seen if number == 1 else seen | taken):
            number += 1
            name = f"{row.reference} ({number})"
        seen.add((row.warehouse_id, row.sku, name))
        if number > 1:
            mine = receipts.c.expected_receipt_id == row.expected_receipt_id
            connection.execute(sa.update(receipts).where(mine).values(reference=name))


def downgrade() -> None:
    op.drop_table("supply_change")
    op.drop_index("expected_receipt_reference", "expected_receipt")
    op.drop_column("reservation_candidate", "lead_days")
    op.drop_column("expected_receipt", "cancelled_quantity")
    op.drop_column("expected_receipt", "kind")
