"""What a customer may read of why their change did not come about has one name, also where revision 0012 gave it another."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("change_order")}
    if "told_reason" in columns:
        op.execute("ALTER TABLE change_order RENAME COLUMN told_reason TO customer_reason")


def downgrade() -> None:
    """Revision 0012 of this release has the name that stands."""
