"""An order as its warehouses know it has a name that says so."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rename("floor_order", "warehouse_order")


def downgrade() -> None:
    _rename("warehouse_order", "floor_order")


def _rename(old: str, new: str) -> None:
    """SQLite keeps the old name of the check, which nothing refers to."""
    op.rename_table(old, new)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT {old}_reason_needs_cancel TO {new}_reason_needs_cancel")
