"""Another card for an order takes the place of the one before when it is authorized, and not before."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "given_card",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("number", db.Int64, nullable=False),
        sa.Column("given_at", db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="given_card_order"),
        sa.PrimaryKeyConstraint("order_id", "request_id"),
        sa.UniqueConstraint("order_id", "number", name="given_card_number_once"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("given_card")
