"""Keys that people type are recognized however they are written, and a channel's reference is its issuer's."""

import sqlalchemy as sa
from alembic import op

from services.kernel.text import fold_key

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_order = sa.table(
    "sales_order",
    *(
        sa.column(name)
        for name in (
            "order_id", "po_number", "po_key", "channel", "channel_ref", "channel_key",
            "ref_issuer", "customer_id", "placed_by", "placed_by_role",
        )
    ),
)  # fmt: skip
_product = sa.table("product", sa.column("sku"), sa.column("sku_key"))
_HAS_REF = sa.text("channel_ref <> ''")
_HAS_LIVING_REF = sa.text("channel_key <> '' AND phase NOT IN ('rejected', 'cancelled', 'expired', 'failed')")


def upgrade() -> None:
    for table, name in (("sales_order", "channel_key"), ("sales_order", "ref_issuer"), ("product", "sku_key")):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    _fill_orders(connection)
    _fill_products(connection)
    op.create_index("product_key", "product", ["sku_key"], unique=True)
    op.drop_index("sales_order_channel_ref_once", "sales_order")
    op.create_index(
        "sales_order_channel_ref_once",
        "sales_order",
        ["channel", "ref_issuer", "channel_key"],
        unique=True,
        sqlite_where=_HAS_LIVING_REF,
        postgresql_where=_HAS_LIVING_REF,
    )


def _fill_orders(connection: sa.Connection) -> None:
    """Of two references that were different only in their spelling the later keeps its own: nothing is refused afterwards."""
    columns = [column for column in _order.c if column.name not in ("po_key", "channel_key", "ref_issuer")]
    taken: set[tuple[str, str, str]] = set()
    is_it = _order.c.order_id == sa.bindparam("of")
    fill = sa.update(_order).where(is_it).values(
        po_key=sa.bindparam("po"), channel_key=sa.bindparam("key"), ref_issuer=sa.bindparam("issuer")
    )  # fmt: skip
    for row in connection.execute(sa.select(*columns).order_by(_order.c.order_id)).all():
        is_partners = row.channel == "partner" and row.placed_by_role == "channel"
        issuer = f"partner/{row.placed_by}" if is_partners else f"customer/{row.customer_id}"
        key = fold_key(row.channel_ref)
        key = f"{key}\n{row.order_id}" if key and (row.channel, issuer, key) in taken else key
        taken.add((row.channel, issuer, key))
        values = {"of": row.order_id, "po": fold_key(row.po_number), "key": key, "issuer": issuer}
        connection.execute(fill, values)


def _fill_products(connection: sa.Connection) -> None:
    """Of two SKUs that were different only in their spelling the first is found by every spelling, the other by its own."""
    taken: set[str] = set()
    fill = sa.update(_product).where(_product.c.sku == sa.bindparam("of")).values(sku_key=sa.bindparam("key"))
    for sku in connection.execute(sa.select(_product.c.sku).order_by(_product.c.sku)).scalars().all():
        key = fold_key(sku)
        key = f"{key}\n{sku}" if key in taken else key
        taken.add(key)
        connection.execute(fill, {"of": sku, "key": key})


def downgrade() -> None:
    op.drop_index("product_key", "product")
    op.drop_index("sales_order_channel_ref_once", "sales_order")
    op.create_index(
        "sales_order_channel_ref_once",
        "sales_order",
        ["channel", "channel_ref"],
        unique=True,
        sqlite_where=_HAS_REF,
        postgresql_where=_HAS_REF,
    )
    op.drop_column("product", "sku_key")
    op.drop_column("sales_order", "ref_issuer")
    op.drop_column("sales_order", "channel_key")
