"""Of a return: why it takes what is not returnable, when its label went out, with which parcel it comes, and its photos."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_TEXTS = ("override_reason", "carrier", "tracking_number")
_INSTANTS = ("label_sent_at", "in_transit_at")


def upgrade() -> None:
    for name in _TEXTS:
        op.add_column("sales_return", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for name in _INSTANTS:
        op.add_column("sales_return", sa.Column(name, UtcDateTime(), nullable=True))
    texts = ("photo_id", "return_id", "stage", "media_type", "sha256", "added_by", "added_role")
    op.create_table(
        "return_photo",
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, Int64, nullable=False) for name in ("position", "size")),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("stage IN ('request', 'inspection')", name="return_photo_stage"),
        sa.CheckConstraint("media_type IN ('image/jpeg', 'image/png', 'image/webp')", name="return_photo_media_type"),
        sa.CheckConstraint("position BETWEEN 1 AND 10 AND size BETWEEN 1 AND 5242880", name="return_photo_bounds"),
        sa.ForeignKeyConstraint(["return_id"], ["sales_return.return_id"], name="return_photo_return"),
        sa.PrimaryKeyConstraint("photo_id"),
        sa.UniqueConstraint("return_id", "stage", "position", name="return_photo_position"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("return_photo")
    for name in (*_TEXTS, *_INSTANTS):
        op.drop_column("sales_return", name)
