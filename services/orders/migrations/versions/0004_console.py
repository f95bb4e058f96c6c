"""Who is logged in to the console, who has a password, and what was done about exceptions."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, JsonText, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "console_session",
        sa.Column("cookie_sha256", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("roles", JsonText(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("is_by_password", Flag(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("expires_at > opened_at", name="console_session_expires_later"),
        sa.PrimaryKeyConstraint("cookie_sha256"),
        sqlite_strict=True,
    )
    op.create_index("console_session_expiry", "console_session", ["expires_at"])
    op.create_table(
        "person_secret",
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("argon2", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sub"),
        sqlite_strict=True,
    )
    op.create_table(
        "exception_deed",
        sa.Column("deed_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("done_role", sa.Text(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("source IN ('message', 'late_fact', 'fact', 'mail')", name="exception_deed_source_known"),
        sa.CheckConstraint("deed IN ('retry', 'dismiss')", name="exception_deed_known"),
        sa.CheckConstraint("deed = 'retry' OR reason <> ''", name="exception_deed_dismissed_for_a_reason"),
        sa.PrimaryKeyConstraint("deed_id"),
        sqlite_strict=True,
    )
    op.create_index("exception_deed_subject", "exception_deed", ["source", "subject_id"])


def downgrade() -> None:
    op.drop_table("exception_deed")
    op.drop_table("person_secret")
    op.drop_table("console_session")
