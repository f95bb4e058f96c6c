"""Warehouses, stock, layers, movements, reservations, the backorder queue, and the tables every service has."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

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
        "outbox",
        sa.Column("position", db.Int64, autoincrement=True, nullable=False),
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("sequence", db.Int64, nullable=False),
        sa.Column("detail", db.JsonText(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", db.Int64, nullable=False),
        sa.Column("retry_at", db.UtcDateTime(), nullable=True),
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
            sqlite_where=sa.text("state = 'unsent'"),
            postgresql_where=sa.text("state = 'unsent'"),
        )

    op.create_table(
        "outbox_counters",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sequence", db.Int64, nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "reservation",
        sa.Column("reservation_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("placed_at_micros", db.Int64, nullable=False),
        sa.Column("lease_seconds", db.Int64, nullable=False),
        sa.Column("lease_until", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'shipped', 'released')", name="reservation_state"),
        sa.CheckConstraint("lease_seconds > 0", name="reservation_lease_positive"),
        sa.PrimaryKeyConstraint("reservation_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.create_index("reservation_by_order", ["order_id"], unique=False)
        batch_op.create_index(
            "reservation_lapsing",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )
        batch_op.create_index(
            "reservation_one_active",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "sku_turn",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("turn", db.Int64, nullable=False),
        sa.PrimaryKeyConstraint("sku"),
        sqlite_strict=True,
    )
    op.create_table(
        "stock_issue",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("cost_minor", db.Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("issued_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("cost_minor >= 0", name="stock_issue_cost"),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "warehouse",
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", db.JsonText(), nullable=False),
        sa.Column("is_active", db.Flag(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('own', 'store', 'third_party')", name="warehouse_kind"),
        sa.PrimaryKeyConstraint("warehouse_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "backorder",
        sa.Column("backorder_id", sa.Text(), nullable=False),
        sa.Column("reservation_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("placed_at_micros", db.Int64, nullable=False),
        sa.Column("waiting_quantity", db.Int64, nullable=False),
        sa.Column("filled_quantity", db.Int64, nullable=False),
        sa.Column("cancelled_quantity", db.Int64, nullable=False),
        sa.CheckConstraint("cancelled_quantity >= 0", name="backorder_cancelled"),
        sa.CheckConstraint("filled_quantity >= 0", name="backorder_filled"),
        sa.CheckConstraint(
            "waiting_quantity + filled_quantity + cancelled_quantity > 0", name="backorder_of_something"
        ),
        sa.CheckConstraint("waiting_quantity >= 0", name="backorder_waiting"),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.reservation_id"], name="backorder_of_reservation"),
        sa.PrimaryKeyConstraint("backorder_id"),
        sa.UniqueConstraint("reservation_id", "line_id", name="backorder_once_a_line"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("backorder", schema=None) as batch_op:
        batch_op.create_index(
            "backorder_of_order",
            ["order_id"],
            unique=False,
            sqlite_where=sa.text("waiting_quantity > 0"),
            postgresql_where=sa.text("waiting_quantity > 0"),
        )
        batch_op.create_index(
            "backorder_queue",
            ["sku", "placed_at_micros", "order_id", "line_id"],
            unique=False,
            sqlite_where=sa.text("waiting_quantity > 0"),
            postgresql_where=sa.text("waiting_quantity > 0"),
        )

    op.create_table(
        "reservation_candidate",
        sa.Column("reservation_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("cost_minor", db.Int64, nullable=False),
        sa.CheckConstraint("cost_minor >= 0", name="reservation_candidate_cost"),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.reservation_id"], name="candidate_of_reservation"),
        sa.PrimaryKeyConstraint("reservation_id", "warehouse_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "stock",
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("on_hand", db.Int64, nullable=False),
        sa.Column("allocated", db.Int64, nullable=False),
        sa.CheckConstraint("allocated <= on_hand", name="stock_allocated_within_on_hand"),
        sa.CheckConstraint("allocated >= 0", name="stock_allocated_not_negative"),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="stock_of_warehouse"),
        sa.PrimaryKeyConstraint("warehouse_id", "sku"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("stock", schema=None) as batch_op:
        batch_op.create_index("stock_by_sku", ["sku", "warehouse_id"], unique=False)

    op.create_table(
        "allocation",
        sa.Column("reservation_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("held_quantity", db.Int64, nullable=False),
        sa.Column("shipped_quantity", db.Int64, nullable=False),
        sa.Column("released_quantity", db.Int64, nullable=False),
        sa.CheckConstraint("held_quantity >= 0", name="allocation_held"),
        sa.CheckConstraint("released_quantity >= 0", name="allocation_released"),
        sa.CheckConstraint("shipped_quantity >= 0", name="allocation_shipped"),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.reservation_id"], name="allocation_of_reservation"),
        sa.ForeignKeyConstraint(
            ["warehouse_id", "sku"], ["stock.warehouse_id", "stock.sku"], name="allocation_of_stock"
        ),
        sa.PrimaryKeyConstraint("reservation_id", "line_id", "warehouse_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("allocation", schema=None) as batch_op:
        batch_op.create_index(
            "allocation_held_by_stock",
            ["warehouse_id", "sku"],
            unique=False,
            sqlite_where=sa.text("held_quantity > 0"),
            postgresql_where=sa.text("held_quantity > 0"),
        )

    op.create_table(
        "expected_receipt",
        sa.Column("expected_receipt_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", db.Int64, nullable=False),
        sa.Column("remaining_quantity", db.Int64, nullable=False),
        sa.Column("expected_on", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="expected_receipt_quantity"),
        sa.CheckConstraint("remaining_quantity BETWEEN 0 AND quantity", name="expected_receipt_remaining"),
        sa.ForeignKeyConstraint(
            ["warehouse_id", "sku"], ["stock.warehouse_id", "stock.sku"], name="expected_receipt_of_stock"
        ),
        sa.PrimaryKeyConstraint("expected_receipt_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("expected_receipt", schema=None) as batch_op:
        batch_op.create_index(
            "expected_receipt_open",
            ["sku", "warehouse_id", "expected_on"],
            unique=False,
            sqlite_where=sa.text("remaining_quantity > 0"),
            postgresql_where=sa.text("remaining_quantity > 0"),
        )

    op.create_table(
        "movement",
        sa.Column("movement_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", db.Int64, nullable=False),
        sa.Column("value_minor", db.Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("(kind = 'issued') = (shipment_id <> '')", name="movement_issued_by_shipment"),
        sa.CheckConstraint("kind <> 'issued' OR (quantity < 0 AND value_minor <= 0)", name="movement_issued_takes"),
        sa.CheckConstraint("kind <> 'received' OR (quantity > 0 AND value_minor >= 0)", name="movement_received_adds"),
        sa.CheckConstraint("kind IN ('received', 'issued', 'adjusted')", name="movement_kind"),
        sa.CheckConstraint("quantity <> 0", name="movement_moves"),
        sa.ForeignKeyConstraint(["warehouse_id", "sku"], ["stock.warehouse_id", "stock.sku"], name="movement_of_stock"),
        sa.PrimaryKeyConstraint("movement_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("movement", schema=None) as batch_op:
        batch_op.create_index("movement_by_stock", ["warehouse_id", "sku"], unique=False)
        batch_op.create_index(
            "movement_once_a_shipment",
            ["shipment_id", "sku"],
            unique=True,
            sqlite_where=sa.text("shipment_id <> ''"),
            postgresql_where=sa.text("shipment_id <> ''"),
        )

    op.create_table(
        "cost_layer",
        sa.Column("movement_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("number", db.Int64, nullable=False),
        sa.Column("quantity", db.Int64, nullable=False),
        sa.Column("unit_cost", sa.Text(), nullable=False),
        sa.Column("value_minor", db.Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("remaining_quantity", db.Int64, nullable=False),
        sa.Column("remaining_value_minor", db.Int64, nullable=False),
        sa.CheckConstraint("quantity > 0", name="cost_layer_quantity_positive"),
        sa.CheckConstraint(
            "remaining_quantity > 0 OR remaining_value_minor = 0", name="cost_layer_spent_is_worth_nothing"
        ),
        sa.CheckConstraint("remaining_quantity BETWEEN 0 AND quantity", name="cost_layer_remaining_quantity"),
        sa.CheckConstraint("remaining_value_minor BETWEEN 0 AND value_minor", name="cost_layer_remaining_value"),
        sa.ForeignKeyConstraint(["movement_id"], ["movement.movement_id"], name="cost_layer_of_movement"),
        sa.ForeignKeyConstraint(
            ["warehouse_id", "sku"], ["stock.warehouse_id", "stock.sku"], name="cost_layer_of_stock"
        ),
        sa.PrimaryKeyConstraint("movement_id"),
        sa.UniqueConstraint("warehouse_id", "sku", "number", name="cost_layer_number"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("cost_layer", schema=None) as batch_op:
        batch_op.create_index(
            "cost_layer_left",
            ["warehouse_id", "sku", "number"],
            unique=False,
            sqlite_where=sa.text("remaining_quantity > 0"),
            postgresql_where=sa.text("remaining_quantity > 0"),
        )


def downgrade() -> None:
    for table in (
        "cost_layer",
        "movement",
        "expected_receipt",
        "allocation",
        "stock",
        "reservation_candidate",
        "backorder",
        "warehouse",
        "stock_issue",
        "sku_turn",
        "reservation",
        "outbox_counters",
        "outbox",
        "answers",
    ):
        op.drop_table(table)
