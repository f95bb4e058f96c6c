"""An invoice may be of several orders: each has its share, and all shares have one number."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64
from services.runtime.value_lists import replace_unique

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_NUMBERS = {"invoice_sequence": "sequence", "invoice_number": "number"}
_IS_SHARE = sa.text("consolidated_id <> ''")


def upgrade() -> None:
    op.add_column("invoice", sa.Column("consolidated_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("invoice", sa.Column("share", Int64, nullable=False, server_default="0"))
    for name, column in _NUMBERS.items():
        replace_unique("invoice", name, (column, "share"))
    op.create_index(
        "invoice_of_consolidated",
        "invoice",
        ["consolidated_id"],
        sqlite_where=_IS_SHARE,
        postgresql_where=_IS_SHARE,
    )


def downgrade() -> None:
    op.drop_index("invoice_of_consolidated", "invoice")
    for name, column in _NUMBERS.items():
        replace_unique("invoice", name, (column,))
    op.drop_column("invoice", "share")
    op.drop_column("invoice", "consolidated_id")
