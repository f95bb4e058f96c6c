"""What is expected back of an order is found by an index; a database made by one release has it from 0007."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("expected_return_of_order", "expected_return", ["order_id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_index("expected_return_of_order", "expected_return", if_exists=True)
