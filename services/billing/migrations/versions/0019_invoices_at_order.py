"""Orders may be invoiced before they ship: what they come to is deferred revenue until they do."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_values

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "marketplace_clearing", "inventory", "goods_received_not_invoiced", "tax_payable",
    "unapplied_cash", "customer_deposits", "revenue", "freight_revenue", "sales_discounts", "sales_returns", "cost_of_goods_sold",
    "marketplace_fees", "shrinkage", "card_fees", "bad_debt",
)  # fmt: skip
_AFTER = (*_BEFORE, "deferred_revenue")
_SOURCES_BEFORE = ("invoice", "payment", "stock_movement", "payout", "credit_note", "write_off")
_SOURCES_AFTER = (*_SOURCES_BEFORE, "shipment")
_DEFERRED = ("deferred_goods_minor", "deferred_freight_minor")


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.add_column("invoice", sa.Column("is_at_order", db.Flag(), nullable=False, server_default=sa.false()))
    for name in _DEFERRED:
        op.execute(
            f"ALTER TABLE credit_note ADD COLUMN {name} {integer} NOT NULL DEFAULT 0 "
            f"CONSTRAINT credit_note_{name.removesuffix('_minor')} CHECK ({name} >= 0)"
        )
    _create_orders()
    _create_recognitions()
    allow_values("journal_entry", {"debit": _AFTER, "credit": _AFTER, "source_type": _SOURCES_AFTER})


def _create_orders() -> None:
    op.create_table(
        "order_to_invoice",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("order_id", "order_number", "customer_id", "currency", "invoice_on", "state")
        ),
        sa.Column("version", db.Int64, nullable=False),
        sa.Column("recorded_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('due', 'invoiced', 'over')", name="order_to_invoice_state"),
        sa.ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="order_to_invoice_account",
        ),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    is_due = sa.text("state = 'due'")
    op.create_index(
        "order_to_invoice_due", "order_to_invoice", ["order_id"], sqlite_where=is_due, postgresql_where=is_due
    )


def _create_recognitions() -> None:
    op.create_table(
        "revenue_recognition",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("shipment_id", "order_id", "currency")),
        *(sa.Column(name, db.Int64, nullable=False) for name in ("goods_minor", "freight_minor")),
        sa.Column("charges", db.JsonText(), nullable=False),
        sa.Column("recorded_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("goods_minor >= 0 AND freight_minor >= 0", name="revenue_recognition_amounts"),
        sa.ForeignKeyConstraint(["order_id"], ["order_to_invoice.order_id"], name="revenue_recognition_order"),
        sa.PrimaryKeyConstraint("shipment_id"),
        sqlite_strict=True,
    )
    op.create_index("revenue_recognition_of_order", "revenue_recognition", ["order_id"])
    op.create_table(
        "revenue_recognition_line",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("quantity", db.Int64, nullable=False),
        sa.CheckConstraint("quantity > 0", name="revenue_recognition_line_quantity"),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["revenue_recognition.shipment_id"], name="revenue_recognition_line_shipment"
        ),
        sa.PrimaryKeyConstraint("shipment_id", "line_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    allow_values("journal_entry", {"debit": _BEFORE, "credit": _BEFORE, "source_type": _SOURCES_BEFORE})
    for table in ("revenue_recognition_line", "revenue_recognition", "order_to_invoice"):
        op.drop_table(table)
    for name in _DEFERRED:
        op.drop_column("credit_note", name)
    op.drop_column("invoice", "is_at_order")
