"""The card that an order is paid with: its token, which nobody reads but billing."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_card",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("given_at", db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_card_order"),
        sa.PrimaryKeyConstraint("order_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("order_card")
