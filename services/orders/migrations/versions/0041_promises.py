"""The ledger of promises: every day that was promised for units of an order, and what became of it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "promise",
        *_texts("promise_id", "order_id", "line_id", "sku"),
        sa.Column("quantity", Int64, nullable=False),
        *_texts("promised_on", "first_on"),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        *_texts("given_by", "reason", "outcome"),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        *_texts("ended_on", "moved_to", "why"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="promise_order"),
        sa.CheckConstraint("quantity > 0", name="promise_quantity"),
        sa.CheckConstraint(
            "given_by IN ('acceptance', 'change', 'supply_change', 'fill', 'sourcing')", name="promise_given_by"
        ),
        sa.CheckConstraint("outcome IN ('open', 'kept', 'broken', 'moved', 'withdrawn')", name="promise_outcome"),
        sa.CheckConstraint("(outcome = 'open') = (ended_at IS NULL)", name="promise_ended_when_it_ended"),
        sa.CheckConstraint("(outcome IN ('kept', 'broken')) = (ended_on <> '')", name="promise_delivered_on_a_day"),
        sa.CheckConstraint("first_on <> ''", name="promise_had_a_day"),
        sa.PrimaryKeyConstraint("promise_id"),
        sqlite_strict=True,
    )
    is_open = sa.text("outcome = 'open'")
    op.create_index("promise_of_order", "promise", ["order_id", "given_at"])
    op.create_index("promise_open", "promise", ["order_id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("promise_delivered", "promise", ["ended_on"])


def downgrade() -> None:
    op.drop_table("promise")
