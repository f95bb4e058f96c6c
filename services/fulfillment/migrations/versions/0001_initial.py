"""Every table of fulfillment, the outbox and the answers."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, JsonText, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Int64, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    op.create_table(
        "floor_order",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("revision", Int64, nullable=False),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("cancelled_at IS NOT NULL OR cancel_reason = ''", name="floor_order_reason_needs_cancel"),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        sa.Column("position", Int64, autoincrement=True, nullable=False),
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("sequence", Int64, nullable=False),
        sa.Column("detail", JsonText(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", Int64, nullable=False),
        sa.Column("retry_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("fact_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "outbox_unsent",
            ["position"],
            unique=False,
            sqlite_where=sa.literal_column("state = 'unsent'"),
            postgresql_where=sa.literal_column("state = 'unsent'"),
        )

    op.create_table(
        "outbox_counters",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sequence", Int64, nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "rate",
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("base_minor", Int64, nullable=False),
        sa.Column("per_kg_minor", Int64, nullable=False),
        sa.Column("per_unit_minor", Int64, nullable=False),
        sa.Column("transit_days", Int64, nullable=False),
        sa.CheckConstraint(
            "base_minor >= 0 AND per_kg_minor >= 0 AND per_unit_minor >= 0", name="rate_amounts_not_negative"
        ),
        sa.CheckConstraint("transit_days >= 0", name="rate_transit_not_negative"),
        sa.PrimaryKeyConstraint("zone", "warehouse_id", "carrier"),
        sqlite_strict=True,
    )
    op.create_table(
        "zone_rule",
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("country", "region"),
        sqlite_strict=True,
    )
    op.create_table(
        "shipment",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("serial", Int64, nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("ship_to", JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("freight_minor", Int64, nullable=True),
        sa.Column("freight_currency", sa.Text(), nullable=True),
        sa.Column("promised_on", sa.Text(), nullable=True),
        sa.Column("picker", sa.Text(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=False),
        sa.Column("picked_at", UtcDateTime(), nullable=True),
        sa.Column("packed_at", UtcDateTime(), nullable=True),
        sa.Column("shipped_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="shipment_cancelled_at"),
        sa.CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="shipment_delivered_at"),
        sa.CheckConstraint(
            "(state IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL)", name="shipment_shipped_at"
        ),
        sa.CheckConstraint(
            "state IN ('released', 'picked', 'packed', 'shipped', 'delivered', 'cancelled')",
            name="shipment_state_known",
        ),
        sa.CheckConstraint("warehouse_id <> '' OR tracking_number IS NULL", name="shipment_service_has_no_tracking"),
        sa.CheckConstraint(
            "warehouse_id = '' OR shipped_at IS NULL OR (tracking_number IS NOT NULL AND carrier <> '' AND freight_minor IS NOT NULL)",
            name="shipment_shipped_has_tracking",
        ),
        sa.CheckConstraint(
            "(freight_minor IS NULL) = (freight_currency IS NULL)", name="shipment_freight_has_currency"
        ),
        sa.CheckConstraint(
            "delivered_at IS NULL OR delivered_at >= shipped_at", name="shipment_delivered_after_shipped"
        ),
        sa.CheckConstraint("freight_minor IS NULL OR freight_minor >= 0", name="shipment_freight_not_negative"),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["floor_order.order_id"],
        ),
        sa.PrimaryKeyConstraint("shipment_id"),
        sa.UniqueConstraint("serial", name="shipment_serial_unique"),
        sa.UniqueConstraint("tracking_number"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index("shipment_order", ["order_id", "serial"], unique=False)
        batch_op.create_index("shipment_state", ["state", "serial"], unique=False)
        batch_op.create_index("shipment_warehouse", ["warehouse_id", "serial"], unique=False)

    op.create_table(
        "carrier_event",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("tracking_number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('in_transit', 'out_for_delivery', 'delivered', 'exception')", name="carrier_event_status_known"
        ),
        sa.ForeignKeyConstraint(
            ["tracking_number"],
            ["shipment.tracking_number"],
        ),
        sa.PrimaryKeyConstraint("carrier", "event_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("carrier_event", schema=None) as batch_op:
        batch_op.create_index("carrier_event_parcel", ["tracking_number"], unique=False)

    op.create_table(
        "shipment_line",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", Int64, nullable=False),
        sa.Column("picked_quantity", Int64, nullable=False),
        sa.Column("unit_weight_grams", Int64, nullable=False),
        sa.CheckConstraint(
            "picked_quantity >= 0 AND picked_quantity <= quantity", name="shipment_line_picked_within_quantity"
        ),
        sa.CheckConstraint("quantity > 0", name="shipment_line_quantity_positive"),
        sa.CheckConstraint("unit_weight_grams >= 0", name="shipment_line_weight_not_negative"),
        sa.ForeignKeyConstraint(
            ["shipment_id"],
            ["shipment.shipment_id"],
        ),
        sa.PrimaryKeyConstraint("shipment_id", "line_id", "sku"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("shipment_line")
    with op.batch_alter_table("carrier_event", schema=None) as batch_op:
        batch_op.drop_index("carrier_event_parcel")

    op.drop_table("carrier_event")
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_index("shipment_warehouse")
        batch_op.drop_index("shipment_state")
        batch_op.drop_index("shipment_order")

    op.drop_table("shipment")
    op.drop_table("zone_rule")
    op.drop_table("rate")
    op.drop_table("outbox_counters")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "outbox_unsent",
            sqlite_where=sa.literal_column("state = 'unsent'"),
            postgresql_where=sa.literal_column("state = 'unsent'"),
        )

    op.drop_table("outbox")
    op.drop_table("floor_order")
    op.drop_table("counter")
    op.drop_table("answers")
