"""Price agreements have quantity breaks and may be a customer group's; a customer may be in a group."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("customer_group", sa.Text(), nullable=False, server_default=""))
    # another primary key, and no foreign key any more: an agreement of a group has no customer
    op.rename_table("price_agreement", "price_agreement_before")
    op.create_table(
        "price_agreement",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("customer_group", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("min_quantity", Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_to", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("(customer_id = '') <> (customer_group = '')", name="price_agreement_of_one_party"),
        sa.CheckConstraint("min_quantity >= 1", name="price_agreement_quantity_positive"),
        sa.CheckConstraint("valid_to = '' OR valid_to >= valid_from", name="price_agreement_days_in_order"),
        sa.PrimaryKeyConstraint("customer_id", "customer_group", "sku", "valid_from", "min_quantity", "currency"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO price_agreement (customer_id, customer_group, sku, valid_from, min_quantity, currency, valid_to, price, "
        "changed_at, changed_by) SELECT customer_id, '', sku, valid_from, 1, currency, valid_to, price, changed_at, "
        "changed_by FROM price_agreement_before"
    )
    op.drop_table("price_agreement_before")


def downgrade() -> None:
    op.rename_table("price_agreement", "price_agreement_after")
    op.create_table(
        "price_agreement",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_to", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("valid_to = '' OR valid_to >= valid_from", name="price_agreement_days_in_order"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"], name="price_agreement_customer"),
        sa.PrimaryKeyConstraint("customer_id", "sku", "valid_from"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO price_agreement (customer_id, sku, valid_from, valid_to, price, currency, changed_at, changed_by) "
        "SELECT customer_id, sku, valid_from, valid_to, price, currency, changed_at, changed_by FROM price_agreement_after "
        "WHERE customer_group = '' AND min_quantity = 1 ON CONFLICT DO NOTHING"
    )
    op.drop_table("price_agreement_after")
    op.drop_column("customer", "customer_group")
