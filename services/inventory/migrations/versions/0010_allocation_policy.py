"""Who gets goods first: the allocation policy, what orders bring to a queue, and their places in it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, JsonText, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WAITING = sa.text("waiting_quantity > 0")
_GATHERING = sa.text("gathers_since IS NOT NULL")
_OF_RESERVATION = {
    "customer_tier": (sa.Text(), ""),
    "requested_on": (sa.Text(), ""),
    "is_expedited": (Flag(), sa.false()),
    "is_order_complete": (Flag(), sa.false()),
    "is_gathering": (Flag(), sa.false()),
}
_OF_BACKORDER = {
    "priority": (Int64, "0"),
    "delivery": (sa.Text(), "partial"),
    "is_manual": (Flag(), sa.false()),
    "ranked_version": (Int64, "-1"),
}


def upgrade() -> None:
    for table, columns in (("reservation", _OF_RESERVATION), ("backorder", _OF_BACKORDER)):
        for name, (kind, unless) in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=False, server_default=unless))
    op.add_column("reservation", sa.Column("gathers_since", UtcDateTime(), nullable=True))
    op.add_column("backorder", sa.Column("waiting_since", UtcDateTime(), nullable=True))
    op.drop_index("backorder_queue", "backorder")
    _partial("backorder_in_turn", "backorder", ["sku", "priority", "placed_at_micros", "order_id", "line_id"], _WAITING)
    _partial("backorder_ranked", "backorder", ["ranked_version", "sku"], _WAITING)
    _partial("reservation_gathering", "reservation", ["gathers_since"], _GATHERING)
    op.create_table(
        "allocation_policy",
        sa.Column("policy_id", sa.Text(), primary_key=True),
        sa.Column("tiers", JsonText(), nullable=False),
        sa.Column("usual_class", sa.Text(), nullable=False),
        sa.Column("is_fair_share", Flag(), nullable=False),
        sa.Column("freeze_days", Int64, nullable=True),
        sa.Column("put_at", UtcDateTime(), nullable=False),
        sa.Column("version", Int64, nullable=False, server_default="1"),
        sa.CheckConstraint("policy_id = 'company'", name="allocation_policy_once"),
        sa.CheckConstraint(
            "usual_class IN ('win', 'gain', 'redistribute', 'improve', 'fill', 'lose')", name="allocation_policy_class"
        ),
        sa.CheckConstraint("freeze_days >= 0", name="allocation_policy_days"),
        sqlite_strict=True,
    )


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("allocation_policy")
    op.drop_index("reservation_gathering", "reservation")
    op.drop_index("backorder_ranked", "backorder")
    op.drop_index("backorder_in_turn", "backorder")
    _partial("backorder_queue", "backorder", ["sku", "placed_at_micros", "order_id", "line_id"], _WAITING)
    op.drop_column("reservation", "gathers_since")
    op.drop_column("backorder", "waiting_since")
    for table, columns in (("reservation", _OF_RESERVATION), ("backorder", _OF_BACKORDER)):
        for name in columns:
            op.drop_column(table, name)
