"""Returns: what is to come back of an order, what has come, and what an inspection found."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, JsonText, UtcDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("ended_at IS NULL")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, Flag(), nullable=False) for name in names]


def _instant(name: str, *, is_known: bool) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(), nullable=not is_known)


def upgrade() -> None:
    op.create_table(
        "sales_return",
        *_texts("return_id", "number", "order_id", "state", "reason", "requested_by", "requested_role"),
        _instant("requested_at", is_known=True),
        *_texts("currency", "fee_percent", "decided_by", "decided_role", "decision_note", "closing", "halted"),
        sa.Column("fee_of_unit_minor", Int64, nullable=True),
        *_flags("is_automatic", "is_announced", "is_closed"),
        *(_instant(name, is_known=False) for name in ("decided_at", "valid_until", "ended_at")),
        sa.CheckConstraint(
            "state IN ('requested', 'authorized', 'denied', 'cancelled', 'expired', 'closed')",
            name="sales_return_state",
        ),
        sa.CheckConstraint("closing IN ('', 'expired', 'cancelled')", name="sales_return_closing"),
        sa.CheckConstraint("(ended_at IS NULL) = (state IN ('requested', 'authorized'))", name="sales_return_ended_at"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="sales_return_order"),
        sa.PrimaryKeyConstraint("return_id"),
        sa.UniqueConstraint("number", name="sales_return_number"),
        sqlite_strict=True,
    )
    op.create_index("sales_return_of_order", "sales_return", ["order_id"])
    op.create_index("sales_return_open", "sales_return", ["number"], sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN)
    _create_lines()
    _create_inspections()


def _create_lines() -> None:
    op.create_table(
        "sales_return_line",
        *_texts("return_id", "line_id", "sku", "description", "reason", "shipment_id"),
        *(sa.Column(name, Int64, nullable=False) for name in ("position", "quantity", "received", "inspected")),
        sa.CheckConstraint(
            "quantity > 0 AND 0 <= inspected AND inspected <= received AND received <= quantity",
            name="sales_return_line_quantities",
        ),
        sa.ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="sales_return_line_return"),
        sa.PrimaryKeyConstraint("return_id", "line_id"),
        sqlite_strict=True,
    )


def _create_inspections() -> None:
    op.create_table(
        "return_inspection",
        *_texts("inspection_id", "return_id", "warehouse_id", "inspected_by"),
        sa.Column("position", Int64, nullable=False),
        sa.Column("units", JsonText(), nullable=False),
        sa.Column("credit_notes", JsonText(), nullable=False),
        _instant("inspected_at", is_known=True),
        _instant("credited_at", is_known=False),
        *(sa.Column(name, Int64, nullable=True) for name in ("credited_minor", "fee_minor")),
        sa.CheckConstraint(
            "(credited_at IS NULL) = (credited_minor IS NULL) AND (credited_at IS NULL) = (fee_minor IS NULL)",
            name="return_inspection_credited",
        ),
        sa.ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="return_inspection_return"),
        sa.PrimaryKeyConstraint("inspection_id"),
        sqlite_strict=True,
    )
    op.create_index("return_inspection_of_return", "return_inspection", ["return_id", "position"])


def downgrade() -> None:
    for table in ("return_inspection", "sales_return_line", "sales_return"):
        op.drop_table(table)
