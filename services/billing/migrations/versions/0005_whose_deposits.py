"""Cash held for orders says whose it is, so that what a customer has paid ahead is found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_IS_HELD = sa.text("remaining_minor > 0")
_OF_PAYMENT = "SELECT payment.{column} FROM payment WHERE payment.payment_id = order_deposit.payment_id"


def upgrade() -> None:
    for column in ("customer_id", "currency"):
        op.add_column("order_deposit", sa.Column(column, sa.Text(), nullable=False, server_default=""))
        op.execute(f"UPDATE order_deposit SET {column} = ({_OF_PAYMENT.format(column=column)})")  # noqa: S608 - constants
    op.create_index(
        "order_deposit_held",
        "order_deposit",
        ["customer_id", "currency", "order_id"],
        sqlite_where=_IS_HELD,
        postgresql_where=_IS_HELD,
    )


def downgrade() -> None:
    op.drop_index("order_deposit_held", "order_deposit")
    for column in ("currency", "customer_id"):
        op.drop_column("order_deposit", column)
