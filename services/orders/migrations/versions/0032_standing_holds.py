"""What stands of a type is found by an index: orders that wait for their tax are asked about again and again."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0038"
branch_labels = None
depends_on = None

_STANDING = sa.text("released_at IS NULL")


def upgrade() -> None:
    op.create_index("hold_standing", "hold", ["hold_type"], sqlite_where=_STANDING, postgresql_where=_STANDING)


def downgrade() -> None:
    op.drop_index("hold_standing", table_name="hold")
