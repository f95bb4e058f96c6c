"""Lead times of what the plant makes, and the open steps in the order in which they are due."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE product ADD COLUMN lead_days {kind} NOT NULL DEFAULT 0 "
        "CONSTRAINT product_lead_days_not_negative CHECK (lead_days >= 0)"
    )
    op.create_index("review_step_due", "review_step", ["state", "expires_at", "step_id"])
    op.create_index("sales_order_of_customer", "sales_order", ["customer_id", "placed_at"])


def downgrade() -> None:
    op.drop_index("sales_order_of_customer", "sales_order")
    op.drop_index("review_step_due", "review_step")
    op.execute("ALTER TABLE product DROP COLUMN lead_days")
