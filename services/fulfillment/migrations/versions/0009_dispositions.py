"""Goods that came back may be refurbished or go to their vendor."""

from services.runtime.value_lists import allow_fewer, allow_more

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NEW = ("refurbish", "return_to_vendor")


def upgrade() -> None:
    allow_more("inspected_units", ["disposition"], *_NEW)


def downgrade() -> None:
    allow_fewer("inspected_units", ["disposition"], *_NEW)
