"""Carriers say what went wrong: a failed attempt, damaged, returned to its sender, lost."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_EVENTS = "carrier, event_id, tracking_number, status, occurred_at, recorded_at"
_BEFORE = "'in_transit', 'out_for_delivery', 'delivered', 'exception'"
_NOW = f"'picked_up', {_BEFORE}, 'failed_attempt', 'damaged', 'returned_to_sender', 'lost'"


def upgrade() -> None:
    op.add_column("package", sa.Column("problem", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE package SET problem = 'exception' WHERE exception_at IS NOT NULL")
    _take(_NOW)


def downgrade() -> None:
    """What these carriers said is kept as what was known before."""
    op.execute("UPDATE carrier_event SET status = 'in_transit' WHERE status = 'picked_up'")
    op.execute(f"UPDATE carrier_event SET status = 'exception' WHERE status NOT IN ({_BEFORE})")  # noqa: S608 - constants
    _take(_BEFORE)
    op.drop_column("package", "problem")


def _take(statuses: str) -> None:
    """Events of these kinds; SQLite changes no constraint: they are written anew there, under their name."""
    is_known = f"status IN ({statuses})"
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("carrier_event_status_known", "carrier_event", type_="check")
        op.create_check_constraint("carrier_event_status_known", "carrier_event", is_known)
        return
    op.drop_index("carrier_event_parcel", "carrier_event")
    op.rename_table("carrier_event", "carrier_event_before")
    op.create_table(
        "carrier_event",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("carrier", "event_id", "tracking_number", "status")),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(is_known, name="carrier_event_status_known"),
        sa.ForeignKeyConstraint(["tracking_number"], ["package.tracking_number"]),
        sa.PrimaryKeyConstraint("carrier", "event_id"),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO carrier_event ({_EVENTS}) SELECT {_EVENTS} FROM carrier_event_before")  # noqa: S608 - constants
    op.drop_table("carrier_event_before")
    op.create_index("carrier_event_parcel", "carrier_event", ["tracking_number"])
