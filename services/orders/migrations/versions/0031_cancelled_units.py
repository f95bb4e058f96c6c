"""Lines keep the units that were cancelled of them, and a request to cancel names lines and keeps what it comes to."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, JsonText

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_NAME = "order_line_quantity_positive"
_BEFORE, _AFTER = "quantity >= 1", "quantity >= 0 AND cancelled >= 0 AND quantity + cancelled >= 1"
_TAXES = {"tax_category": "standard", "tax_code": "", "tax_rate": "", "tax_reason": ""}


def upgrade() -> None:
    op.add_column("order_line", sa.Column("cancelled", Int64, nullable=False, server_default="0"))
    _check_quantity(_BEFORE, _AFTER)
    op.add_column("cancellation", sa.Column("change_id", sa.Text(), nullable=False, server_default=""))
    op.add_column("cancellation", sa.Column("consequence", JsonText(), nullable=True))


def downgrade() -> None:
    op.drop_column("cancellation", "consequence")
    op.drop_column("cancellation", "change_id")
    op.execute("DELETE FROM order_line WHERE quantity = 0")
    _check_quantity(_AFTER, _BEFORE)
    op.drop_column("order_line", "cancelled")


def _check_quantity(before: str, after: str) -> None:
    """SQLite makes the table anew to change a constraint, and cannot read the checks of the old one."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_NAME, "order_line", type_="check")
        op.create_check_constraint(_NAME, "order_line", after)
        return
    with op.batch_alter_table(
        "order_line", table_kwargs={"sqlite_strict": True}, copy_from=_order_line(before)
    ) as batch:
        batch.drop_constraint(_NAME, type_="check")
        batch.create_check_constraint(_NAME, after)


def _order_line(check: str) -> sa.Table:
    texts = ("line_id", "sku", "description", "kind", "unit_price", "reference_price", "price_source")
    return sa.Table(
        "order_line",
        sa.MetaData(),
        sa.Column("order_id", sa.Text(), primary_key=True),
        sa.Column("position", Int64, primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, Int64, nullable=False) for name in ("quantity", "extended_minor", "unit_weight_grams")),
        sa.Column("is_known", Flag(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False, server_default=default) for name, default in _TAXES.items()),
        sa.Column("cancelled", Int64, nullable=False, server_default="0"),
        sa.CheckConstraint("extended_minor >= 0", name="order_line_extended_not_negative"),
        sa.CheckConstraint(check, name=_NAME),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_line_order"),
        sa.Index("order_line_sku", "sku"),
        sqlite_strict=True,
    )
