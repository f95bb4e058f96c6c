"""The same bank reference is recognized however it is written, and what was asked under it is kept."""

import sqlalchemy as sa
from alembic import op

from services.kernel.text import fold_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_payment = sa.table(
    "payment", *(sa.column(name) for name in ("payment_id", "customer_id", "reference", "reference_key"))
)


def upgrade() -> None:
    op.add_column("payment", sa.Column("reference_key", sa.Text(), nullable=False, server_default=""))
    op.add_column("payment", sa.Column("asked_digest", sa.Text(), nullable=False, server_default=""))
    _fill(op.get_bind())
    op.create_index("payment_reference_key", "payment", ["customer_id", "reference_key"], unique=True)


def _fill(connection: sa.Connection) -> None:
    """Of two references that were different only in their spelling the later keeps its own: both payments stay."""
    taken: set[tuple[str, str]] = set()
    fill = sa.update(_payment).where(_payment.c.payment_id == sa.bindparam("of"))
    fill = fill.values(reference_key=sa.bindparam("key"))
    rows = sa.select(_payment.c.payment_id, _payment.c.customer_id, _payment.c.reference)
    for row in connection.execute(rows.order_by(_payment.c.payment_id)).all():
        key = fold_key(row.reference)
        key = f"{key}\n{row.payment_id}" if (row.customer_id, key) in taken else key
        taken.add((row.customer_id, key))
        connection.execute(fill, {"of": row.payment_id, "key": key})


def downgrade() -> None:
    op.drop_index("payment_reference_key", "payment")
    op.drop_column("payment", "asked_digest")
    op.drop_column("payment", "reference_key")
