"""Goods that came back may be refurbished or go to their vendor, and what is in quarantine is decided."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime
from services.runtime.value_lists import allow_fewer, allow_more

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NEW = ("refurbish", "return_to_vendor")


def upgrade() -> None:
    allow_more("returned_stock", ["disposition"], *_NEW)
    is_apart = sa.text("disposition IN ('quarantine', 'refurbish')")
    op.create_index(
        "returned_stock_apart", "returned_stock", ["movement_id"], sqlite_where=is_apart, postgresql_where=is_apart
    )
    op.create_table(
        "quarantine_decision",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("decision_id", "movement_id", "outcome")),
        sa.Column("quantity", Int64, nullable=False),
        sa.Column("value_minor", Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "decided_by")),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("outcome IN ('release', 'scrap', 'return_to_vendor')", name="quarantine_decision_outcome"),
        sa.CheckConstraint("quantity > 0", name="quarantine_decision_quantity"),
        sa.CheckConstraint("value_minor >= 0", name="quarantine_decision_value"),
        sa.CheckConstraint("reason <> ''", name="quarantine_decision_reason"),
        sa.ForeignKeyConstraint(["movement_id"], ["returned_stock.movement_id"], name="quarantine_decision_of_units"),
        sa.PrimaryKeyConstraint("decision_id"),
        sqlite_strict=True,
    )
    op.create_index("quarantine_decision_of_units", "quarantine_decision", ["movement_id"])


def downgrade() -> None:
    op.drop_table("quarantine_decision")
    op.drop_index("returned_stock_apart", "returned_stock")
    allow_fewer("returned_stock", ["disposition"], *_NEW)
