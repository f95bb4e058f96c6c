"""What a batch leaves says since when, so that the audit finds what no batch takes up."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("unfilled", "unnotified")


def upgrade() -> None:
    now = datetime.now(UTC)
    for name in _TABLES:
        op.add_column(name, sa.Column("left_at", UtcDateTime(), nullable=True))
        op.execute(sa.table(name, sa.column("left_at", UtcDateTime())).update().values(left_at=now))
        with op.batch_alter_table(name, table_kwargs={"sqlite_strict": True}) as table:
            table.alter_column("left_at", existing_type=UtcDateTime(), nullable=False)


def downgrade() -> None:
    for name in _TABLES:
        op.drop_column(name, "left_at")
