"""Master data has versions: who replaces something can say which version they have seen."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TABLES = ("customer", "product", "price_agreement", "exchange_rate", "person")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("version", Int64, nullable=False, server_default="1"))


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_column(table, "version")
