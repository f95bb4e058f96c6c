"""Discounts that are given from so much of goods on are taken back when less is kept."""

from alembic import op
from sqlalchemy import Column, text

from services.runtime.db import Int64

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("invoice", "discount_minimum_minor"),
    ("invoice", "ordered_minor"),
    ("credit_note", "claw_back_minor"),
    ("credit_note", "ours_minor"),
    ("credit_note_tax_part", "claw_back_minor"),
)


def upgrade() -> None:
    for table, name in _COLUMNS:
        op.add_column(table, Column(name, Int64, nullable=False, server_default=text("0")))


def downgrade() -> None:
    for table, name in reversed(_COLUMNS):
        op.drop_column(table, name)
