"""Customers are found by name however it is written, in every alphabet."""

import sqlalchemy as sa
from alembic import op

from services.kernel.text import fold_key

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_customer = sa.table("customer", *(sa.column(name) for name in ("customer_id", "name", "name_key")))


def upgrade() -> None:
    op.add_column("customer", sa.Column("name_key", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    fill = (
        sa.update(_customer).where(_customer.c.customer_id == sa.bindparam("of")).values(name_key=sa.bindparam("key"))
    )
    for row in connection.execute(sa.select(_customer.c.customer_id, _customer.c.name)).all():
        connection.execute(fill, {"of": row.customer_id, "key": fold_key(row.name)})
    op.create_index("customer_name_key", "customer", ["name_key"])


def downgrade() -> None:
    op.drop_index("customer_name_key", "customer")
    op.drop_column("customer", "name_key")
