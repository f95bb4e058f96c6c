"""How much of what was moved at the provider, and not here, accounting was told of."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COLUMNS = ("notified_captured_minor", "notified_refunded_minor")


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE card_authorization ADD COLUMN {column} {integer} NOT NULL DEFAULT 0")


def downgrade() -> None:
    for column in _COLUMNS:
        op.drop_column("card_authorization", column)
