"""Whether people were notified of a backorder has the name that the rest of the system uses."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("sales_order", "is_backorder_told", new_column_name="is_backorder_notified")


def downgrade() -> None:
    op.alter_column("sales_order", "is_backorder_notified", new_column_name="is_backorder_told")
