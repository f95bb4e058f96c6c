"""A warehouse can be closed for a while, and orders are sourced again for it."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    rows = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=rows, postgresql_where=rows)


def upgrade() -> None:
    op.create_table(
        "warehouse_outage",
        sa.Column("outage_id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("warehouse_id", "reason", "declared_by")),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("order_count", Int64, nullable=False),
        sa.CheckConstraint("ends_at > began_at", name="warehouse_outage_ends_later"),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= began_at", name="warehouse_outage_ended_later"),
        sa.CheckConstraint("reason <> ''", name="warehouse_outage_reason"),
        sa.CheckConstraint("order_count >= 0", name="warehouse_outage_orders"),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="warehouse_outage_of_warehouse"),
        sqlite_strict=True,
    )
    _index("warehouse_outage_lasting", "warehouse_outage", ["warehouse_id"], "ended_at IS NULL", unique=True)
    op.create_table(
        "sourcing_request",
        sa.Column("sourcing_request_id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("order_id", "cause", "warehouse_id", "why")),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("notified_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("cause <> ''", name="sourcing_request_cause"),
        sa.CheckConstraint("why <> ''", name="sourcing_request_why"),
        sqlite_strict=True,
    )
    _index("sourcing_request_open", "sourcing_request", ["order_id", "sourcing_request_id"], "done_at IS NULL")
    _index("sourcing_request_unnotified", "sourcing_request", ["sourcing_request_id"], "notified_at IS NULL")


def downgrade() -> None:
    op.drop_table("sourcing_request")
    op.drop_table("warehouse_outage")
