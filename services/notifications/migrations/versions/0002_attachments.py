"""Mails carry documents."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import JsonText

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("attachment", JsonText(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("deliveries", "attachment")
