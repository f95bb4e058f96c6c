"""The same purchase order number is recognized however it is written: "PO-1" and " po-1 "."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_order = sa.table("sales_order", sa.column("order_id"), sa.column("po_number"), sa.column("po_key"))
_HAS_PO = sa.text("po_key <> ''")


def upgrade() -> None:
    op.add_column("sales_order", sa.Column("po_key", sa.Text(), nullable=False, server_default=""))
    _fill(op.get_bind())
    op.drop_index("sales_order_po", "sales_order")
    op.create_index(
        "sales_order_po",
        "sales_order",
        ["customer_id", "po_key", "placed_at"],
        sqlite_where=_HAS_PO,
        postgresql_where=_HAS_PO,
    )


def _fill(connection: sa.Connection) -> None:
    """Casefolding is Python's: neither database knows it."""
    named = connection.execute(sa.select(_order.c.order_id, _order.c.po_number).where(_order.c.po_number != ""))
    keys = [{"of": order_id, "key": " ".join(written.split()).casefold()} for order_id, written in named]
    if keys:
        is_it = _order.c.order_id == sa.bindparam("of")
        connection.execute(sa.update(_order).where(is_it).values(po_key=sa.bindparam("key")), keys)


def downgrade() -> None:
    op.drop_index("sales_order_po", "sales_order")
    op.create_index("sales_order_po", "sales_order", ["customer_id", "po_number"])
    op.drop_column("sales_order", "po_key")
