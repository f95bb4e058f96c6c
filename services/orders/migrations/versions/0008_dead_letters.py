"""What was done about messages that could not be handled is called by its trade word: dead letters."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NOT_PROJECTED = sa.text("state <> 'projected'")
_KEPT = "source, subject_id, reason, done_by, done_role, done_at"


def upgrade() -> None:
    _create("dead_letter_action", "action")
    op.execute(
        f"INSERT INTO dead_letter_action (action_id, action, {_KEPT}) SELECT deed_id, deed, {_KEPT} FROM exception_deed"  # noqa: S608  # only our constants
    )
    op.drop_table("exception_deed")
    _rename_index("fact_stuck", "fact_not_projected")


def _create(table: str, verb: str) -> None:
    """A table of its own instead of a renamed one: SQLite renames no constraint."""
    op.create_table(
        table,
        sa.Column(f"{verb}_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column(verb, sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("done_role", sa.Text(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("source IN ('message', 'late_fact', 'fact', 'mail')", name=f"{table}_source_known"),
        sa.CheckConstraint(f"{verb} IN ('retry', 'dismiss')", name=f"{table}_known"),
        sa.CheckConstraint(f"{verb} = 'retry' OR reason <> ''", name=f"{table}_dismissed_for_a_reason"),
        sa.PrimaryKeyConstraint(f"{verb}_id"),
        sqlite_strict=True,
    )
    op.create_index(f"{table}_subject", table, ["source", "subject_id"])


def _rename_index(old: str, new: str) -> None:
    op.drop_index(old, "fact")
    op.create_index(
        new, "fact", ["received_at", "fact_id"], sqlite_where=_NOT_PROJECTED, postgresql_where=_NOT_PROJECTED
    )


def downgrade() -> None:
    _create("exception_deed", "deed")
    op.execute(
        f"INSERT INTO exception_deed (deed_id, deed, {_KEPT}) SELECT action_id, action, {_KEPT} FROM dead_letter_action"  # noqa: S608  # only our constants
    )
    op.drop_table("dead_letter_action")
    _rename_index("fact_not_projected", "fact_stuck")
