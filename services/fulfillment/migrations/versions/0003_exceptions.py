"""When the carrier last told of a problem with a parcel that is on its way."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shipment", sa.Column("exception_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("shipment", "exception_at")
