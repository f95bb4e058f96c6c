"""Every table of orders, the outbox and the answers."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, JsonText, UtcDateTime

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
        "customer",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("is_active", Flag(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("net_days", Int64, nullable=False),
        sa.Column("tax_rate", sa.Text(), nullable=False),
        sa.Column("contact_email", sa.Text(), nullable=False),
        sa.Column("accounting_email", sa.Text(), nullable=False),
        sa.Column("sales_rep", sa.Text(), nullable=False),
        sa.Column("sales_rep_email", sa.Text(), nullable=False),
        sa.Column("allowed_ship_tos", JsonText(), nullable=False),
        sa.Column("free_multiple_skus", JsonText(), nullable=False),
        sa.Column("duplicate_po", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("duplicate_po IN ('allow', 'warn', 'hold', 'block')", name="customer_duplicate_po_known"),
        sa.CheckConstraint("net_days >= 0", name="customer_net_days_not_negative"),
        sa.PrimaryKeyConstraint("customer_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("customer") as batch_op:
        batch_op.create_index("customer_of_sales_rep", ["sales_rep"], unique=False)

    op.create_table(
        "fact",
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("sequence", Int64, nullable=False),
        sa.Column("occurred_at", sa.Text(), nullable=False),
        sa.Column("detail", JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('projected', 'unknown', 'orphaned', 'unreadable')", name="fact_state_known"),
        sa.PrimaryKeyConstraint("fact_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("fact") as batch_op:
        batch_op.create_index("fact_order", ["order_id"], unique=False)

    op.create_table(
        "late_fact",
        sa.Column("fact_id", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("arrived_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id", "signal"),
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
    with op.batch_alter_table("outbox") as batch_op:
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
        sa.Column("sequence", Int64, nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "policy",
        sa.Column("version", Int64, nullable=False),
        sa.Column("document", JsonText(), nullable=False),
        sa.Column("stored_at", UtcDateTime(), nullable=False),
        sa.Column("stored_by", sa.Text(), nullable=False),
        sa.CheckConstraint("version >= 1", name="policy_version_positive"),
        sa.PrimaryKeyConstraint("version"),
        sqlite_strict=True,
    )
    op.create_table(
        "product",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("list_price", sa.Text(), nullable=False),
        sa.Column("standard_cost", sa.Text(), nullable=False),
        sa.Column("weight_grams", Int64, nullable=False),
        sa.Column("multiple", Int64, nullable=False),
        sa.Column("min_quantity", Int64, nullable=False),
        sa.Column("is_sellable", Flag(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('stock', 'build_to_order', 'service')", name="product_kind_known"),
        sa.CheckConstraint(
            "multiple >= 1 AND min_quantity >= 1 AND weight_grams >= 0", name="product_quantities_sound"
        ),
        sa.PrimaryKeyConstraint("sku"),
        sqlite_strict=True,
    )
    op.create_table(
        "price_agreement",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_to", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("valid_to = '' OR valid_to >= valid_from", name="price_agreement_days_in_order"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name="price_agreement_customer"),
        sa.PrimaryKeyConstraint("customer_id", "sku", "valid_from"),
        sqlite_strict=True,
    )
    op.create_table(
        "sales_order",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("version", Int64, nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("channel_ref", sa.Text(), nullable=False),
        sa.Column("po_number", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("net_days", Int64, nullable=False),
        sa.Column("tax_rate", sa.Text(), nullable=False),
        sa.Column("ship_to", JsonText(), nullable=False),
        sa.Column("requested_on", sa.Text(), nullable=False),
        sa.Column("is_ship_complete", Flag(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_by_role", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("merchandise_minor", Int64, nullable=False),
        sa.Column("discount_minor", Int64, nullable=False),
        sa.Column("freight_minor", Int64, nullable=False),
        sa.Column("tax_minor", Int64, nullable=False),
        sa.Column("total_minor", Int64, nullable=False),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("is_backorder_told", Flag(), nullable=False),
        sa.Column("event_count", Int64, nullable=False),
        sa.Column("request_scope", sa.Text(), nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("start_fact_id", sa.Text(), nullable=False),
        sa.Column("first_answer", JsonText(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (phase IN ('rejected', 'cancelled', 'closed', 'expired', 'failed'))",
            name="sales_order_ended_when_it_ended",
        ),
        sa.CheckConstraint(
            "phase IN ('received', 'in_review', 'accepted', 'rejected', 'cancelled', 'closed', 'expired', 'failed')",
            name="sales_order_phase_known",
        ),
        sa.CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0",
            name="sales_order_amounts_not_negative",
        ),
        sa.CheckConstraint(
            "total_minor = merchandise_minor - discount_minor + freight_minor + tax_minor",
            name="sales_order_total_adds_up",
        ),
        sa.CheckConstraint("version >= 1", name="sales_order_version_positive"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name="sales_order_customer"),
        sa.PrimaryKeyConstraint("order_id"),
        sa.UniqueConstraint("number", name="sales_order_number_once"),
        sa.UniqueConstraint("request_scope", "request_key", name="sales_order_request_once"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("sales_order") as batch_op:
        batch_op.create_index(
            "sales_order_channel_ref_once",
            ["channel", "channel_ref"],
            unique=True,
            sqlite_where=sa.text("channel_ref <> ''"),
            postgresql_where=sa.text("channel_ref <> ''"),
        )
        batch_op.create_index("sales_order_placed", ["placed_at", "order_id"], unique=False)
        batch_op.create_index("sales_order_po", ["customer_id", "po_number"], unique=False)

    op.create_table(
        "cancellation",
        sa.Column("cancellation_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_role", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("request_fact_id", sa.Text(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('requested', 'done', 'declined')", name="cancellation_state_known"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="cancellation_order"),
        sa.PrimaryKeyConstraint("cancellation_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("cancellation") as batch_op:
        batch_op.create_index(
            "cancellation_one_open",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )

    op.create_table(
        "hold",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("hold_type", sa.Text(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("released_role", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("(released_at IS NULL) = (released_by = '')", name="hold_released_by_somebody"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="hold_order"),
        sa.PrimaryKeyConstraint("hold_id"),
        sa.UniqueConstraint("order_id", "code", name="hold_once_a_rule"),
        sqlite_strict=True,
    )
    op.create_table(
        "order_event",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sequence", Int64, nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("before", JsonText(), nullable=False),
        sa.Column("after", JsonText(), nullable=False),
        sa.CheckConstraint("sequence >= 1", name="order_event_sequence_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_event_order"),
        sa.PrimaryKeyConstraint("order_id", "sequence"),
        sqlite_strict=True,
    )
    op.create_table(
        "order_line",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("position", Int64, nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", Int64, nullable=False),
        sa.Column("unit_price", sa.Text(), nullable=False),
        sa.Column("extended_minor", Int64, nullable=False),
        sa.Column("reference_price", sa.Text(), nullable=False),
        sa.Column("price_source", sa.Text(), nullable=False),
        sa.Column("unit_weight_grams", Int64, nullable=False),
        sa.Column("is_known", Flag(), nullable=False),
        sa.CheckConstraint("extended_minor >= 0", name="order_line_extended_not_negative"),
        sa.CheckConstraint("quantity >= 1", name="order_line_quantity_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_line_order"),
        sa.PrimaryKeyConstraint("order_id", "position"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("order_line") as batch_op:
        batch_op.create_index("order_line_sku", ["sku"], unique=False)

    op.create_table(
        "order_progress",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("progress", JsonText(), nullable=False),
        sa.Column("promises", JsonText(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("review", sa.Text(), nullable=False),
        sa.Column("fulfilment", sa.Text(), nullable=False),
        sa.Column("billing", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("returns", sa.Text(), nullable=False),
        sa.Column("hold_types", sa.Text(), nullable=False),
        sa.Column("waiting_who", sa.Text(), nullable=False),
        sa.Column("waiting_what", sa.Text(), nullable=False),
        sa.Column("waiting_since", UtcDateTime(), nullable=True),
        sa.Column("waiting_due", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_progress_order"),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("order_progress") as batch_op:
        batch_op.create_index("order_progress_status", ["status"], unique=False)
        batch_op.create_index("order_progress_waiting", ["waiting_who"], unique=False)

    op.create_table(
        "violation",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("position", Int64, nullable=False),
        sa.Column("order_version", Int64, nullable=False),
        sa.Column("policy_version", Int64, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("hold_type", sa.Text(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.CheckConstraint("severity IN ('BLOCK', 'HOLD', 'WARN')", name="violation_severity_known"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="violation_order"),
        sa.PrimaryKeyConstraint("order_id", "position"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("violation")
    with op.batch_alter_table("order_progress") as batch_op:
        batch_op.drop_index("order_progress_waiting")
        batch_op.drop_index("order_progress_status")

    op.drop_table("order_progress")
    with op.batch_alter_table("order_line") as batch_op:
        batch_op.drop_index("order_line_sku")

    op.drop_table("order_line")
    op.drop_table("order_event")
    op.drop_table("hold")
    with op.batch_alter_table("cancellation") as batch_op:
        batch_op.drop_index(
            "cancellation_one_open",
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )

    op.drop_table("cancellation")
    with op.batch_alter_table("sales_order") as batch_op:
        batch_op.drop_index("sales_order_po")
        batch_op.drop_index("sales_order_placed")
        batch_op.drop_index(
            "sales_order_channel_ref_once",
            sqlite_where=sa.text("channel_ref <> ''"),
            postgresql_where=sa.text("channel_ref <> ''"),
        )

    op.drop_table("sales_order")
    op.drop_table("price_agreement")
    op.drop_table("product")
    op.drop_table("policy")
    op.drop_table("outbox_counters")
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_index(
            "outbox_unsent", sqlite_where=sa.text("state = 'unsent'"), postgresql_where=sa.text("state = 'unsent'")
        )

    op.drop_table("outbox")
    op.drop_table("late_fact")
    with op.batch_alter_table("fact") as batch_op:
        batch_op.drop_index("fact_order")

    op.drop_table("fact")
    with op.batch_alter_table("customer") as batch_op:
        batch_op.drop_index("customer_of_sales_rep")

    op.drop_table("customer")
    op.drop_table("counter")
    op.drop_table("answers")
