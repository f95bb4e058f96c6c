"""Orders that ship as much as fits under a credit limit; and who put an account's terms last."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("ships_what_fits", db.Flag(), nullable=False, server_default=sa.false()),
        sa.Column("terms_changed_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("terms_changed_at", db.UtcDateTime(), nullable=True),
    ):
        op.add_column("credit_account", column)
    op.add_column("credit_wait", sa.Column("is_in_part", db.Flag(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("credit_wait", "is_in_part")
    for name in ("terms_changed_at", "terms_changed_by", "ships_what_fits"):
        op.drop_column("credit_account", name)
