"""Units that somebody credited before a return brought them are accounted for once."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE invoice_line ADD COLUMN returned_by_hand {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT invoice_line_returned_by_hand "
        "CHECK (returned_by_hand >= 0 AND returned_by_hand <= credited_quantity)"
    )


def downgrade() -> None:
    op.drop_column("invoice_line", "returned_by_hand")
