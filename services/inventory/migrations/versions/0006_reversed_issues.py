"""What a shipment took off stock can be put back, when its ship confirm was a mistake."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime
from services.runtime.value_lists import allow_values

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = ("received", "issued", "adjusted")
_AFTER = (*_BEFORE, "reversed")


def upgrade() -> None:
    allow_values("movement", {"kind": _AFTER}, is_referred_to=True)
    op.create_table(
        "issue_reversal",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("shipment_id", "order_id", "warehouse_id")),
        sa.Column("cost_minor", Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reversed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("cost_minor >= 0", name="issue_reversal_cost"),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("issue_reversal")
    op.execute("UPDATE movement SET kind = 'adjusted' WHERE kind = 'reversed'")
    allow_values("movement", {"kind": _BEFORE}, is_referred_to=True)
