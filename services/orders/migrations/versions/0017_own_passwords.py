"""People choose their own passwords, by a link in their mail; who gave whom what is kept.

A password that somebody else set logs nobody in any more, so logins that rest on one end here.
"""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import JsonText, UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("email_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("person", sa.Column("authority_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("person", sa.Column("authority_at", UtcDateTime(), nullable=True))
    op.create_table(
        "access_change",
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("change_id"),
        sqlite_strict=True,
    )
    op.create_index("access_change_of", "access_change", ["sub", "change_id"])
    op.create_table(
        "password_link",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("expires_at > issued_at", name="password_link_expires_later"),
        sa.PrimaryKeyConstraint("token_sha256"),
        sqlite_strict=True,
    )
    op.create_index("password_link_of", "password_link", ["sub"])
    op.execute(
        "DELETE FROM console_session WHERE is_by_password AND sub IN (SELECT sub FROM person_secret WHERE changed_by <> sub)"
    )


def downgrade() -> None:
    op.drop_table("password_link")
    op.drop_table("access_change")
    op.drop_column("person", "authority_at")
    op.drop_column("person", "authority_by")
    op.drop_column("person", "email_by")
