"""Exchanges: what left without an invoice, what of it is charged, and cash of returns that is held for what replaces their goods."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, db.Int64, nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, db.UtcDateTime(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "exchanged_line",
        *_texts("shipment_id", "line_id", "order_id"),
        _number("quantity"),
        _instant("left_at"),
        sa.CheckConstraint("quantity > 0", name="exchanged_line_quantity"),
        sa.PrimaryKeyConstraint("shipment_id", "line_id"),
        sqlite_strict=True,
    )
    op.create_index("exchanged_line_of_order", "exchanged_line", ["order_id"])
    op.create_table(
        "exchange_settlement",
        *_texts("order_id"),
        _instant("settled_at"),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "exchange_charge",
        *_texts("order_id", "line_id"),
        _number("quantity"),
        sa.CheckConstraint("quantity > 0", name="exchange_charge_quantity"),
        sa.ForeignKeyConstraint(["order_id"], ["exchange_settlement.order_id"], name="exchange_charge_settlement"),
        sa.PrimaryKeyConstraint("order_id", "line_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "return_cash_held",
        *_texts("credit_note_id", "payment_id", "order_id"),
        _number("amount_minor"),
        _instant("held_at"),
        sa.CheckConstraint("amount_minor > 0", name="return_cash_held_amount"),
        sa.ForeignKeyConstraint(
            ["credit_note_id", "payment_id"],
            ["credit_note_cash.credit_note_id", "credit_note_cash.payment_id"],
            name="return_cash_held_cash",
        ),
        sa.PrimaryKeyConstraint("credit_note_id", "payment_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for table in ("return_cash_held", "exchange_charge", "exchange_settlement", "exchanged_line"):
        op.drop_table(table)
