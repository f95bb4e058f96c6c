"""Parcels that no return announces; returns of what is here already, and of what the customer keeps."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, UtcDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_NEW = ("arrived_in", "received_by", "parcel_number", "keep_asked_by")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    for name in _NEW:
        op.add_column("sales_return", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("sales_return", sa.Column("is_kept", Flag(), nullable=False, server_default=sa.false()))
    op.create_table(
        "parcel",
        *_texts("parcel_id", "number", "warehouse_id", "state", "order_id", "order_number", "return_id"),
        *_texts("return_number", "reference", "note", "received_by"),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        *_texts("decided_by", "decided_role"),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        *_texts("decision_note"),
        sa.CheckConstraint("state IN ('waiting', 'matched', 'sent_back', 'kept', 'scrapped')", name="parcel_state"),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="parcel_decided_at"),
        sa.PrimaryKeyConstraint("parcel_id"),
        sa.UniqueConstraint("number", name="parcel_number"),
        sqlite_strict=True,
    )
    for index, column, where in (
        ("parcel_waiting", "parcel_id", "state = 'waiting'"),
        ("parcel_of_return", "return_id", "return_id <> ''"),
    ):
        op.create_index(index, "parcel", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    _create_lines()


def _create_lines() -> None:
    op.create_table(
        "parcel_line",
        *_texts("parcel_id"),
        sa.Column("position", Int64, nullable=False),
        *_texts("sku", "description"),
        sa.Column("quantity", Int64, nullable=False),
        *_texts("seems"),
        sa.Column("matched", Int64, nullable=False),
        sa.CheckConstraint("quantity > 0 AND matched BETWEEN 0 AND quantity", name="parcel_line_quantities"),
        sa.CheckConstraint("seems IN ('of_order', 'own_article', 'foreign')", name="parcel_line_seems"),
        sa.CheckConstraint("sku <> '' OR description <> ''", name="parcel_line_is_something"),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.parcel_id"], name="parcel_line_parcel"),
        sa.PrimaryKeyConstraint("parcel_id", "position"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("parcel_line")
    op.drop_table("parcel")
    for name in ("is_kept", *_NEW):
        op.drop_column("sales_return", name)
