"""Orders that wait know the least part of them that is of use."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("credit_wait", sa.Column("least_minor", db.Int64, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("credit_wait", "least_minor")
