"""The people directory, delegations, reviews, change orders, and holds that belong to a version."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Flag, Int64, JsonText, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_HOLD = sa.Table(
    "hold",
    sa.MetaData(),
    sa.Column("hold_id", sa.Text(), primary_key=True),
    sa.Column("order_id", sa.Text(), nullable=False),
    sa.Column("code", sa.Text(), nullable=False),
    sa.Column("hold_type", sa.Text(), nullable=False),
    sa.Column("owner_role", sa.Text(), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("placed_at", UtcDateTime(), nullable=False),
    sa.Column("released_at", UtcDateTime(), nullable=True),
    sa.Column("released_by", sa.Text(), nullable=False),
    sa.Column("released_role", sa.Text(), nullable=False),
    sa.Column("note", sa.Text(), nullable=False),
    sa.Column("order_version", Int64, nullable=False, server_default="1"),
    sa.CheckConstraint("(released_at IS NULL) = (released_by = '')", name="hold_released_by_somebody"),
    sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="hold_order"),
    sa.UniqueConstraint("order_id", "code", name="hold_once_a_rule"),
    sqlite_strict=True,
)
"""SQLite makes the table anew to change a constraint, and cannot read the checks of the old one."""


def _number_holds(columns: list[str]) -> None:
    with op.batch_alter_table("hold", table_kwargs={"sqlite_strict": True}, copy_from=_HOLD) as batch_op:
        batch_op.drop_constraint("hold_once_a_rule", type_="unique")
        batch_op.create_unique_constraint("hold_once_a_rule", columns)


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("roles", JsonText(), nullable=False),
        sa.Column("positions", JsonText(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("is_active", Flag(), nullable=False),
        sa.Column("limits", JsonText(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("sub <> manager", name="person_is_not_the_own_manager"),
        sa.PrimaryKeyConstraint("sub"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index("person_company", ["company"], unique=False)

    op.create_table(
        "delegation",
        sa.Column("delegation_id", sa.Text(), nullable=False),
        sa.Column("from_sub", sa.Text(), nullable=False),
        sa.Column("to_sub", sa.Text(), nullable=False),
        sa.Column("valid_from", UtcDateTime(), nullable=False),
        sa.Column("valid_to", UtcDateTime(), nullable=False),
        sa.Column("positions", JsonText(), nullable=False),
        sa.Column("max_minor", Int64, nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint("max_minor IS NULL OR (max_minor >= 0 AND currency <> '')", name="delegation_maximum_sound"),
        sa.CheckConstraint("from_sub <> to_sub", name="delegation_to_somebody_else"),
        sa.CheckConstraint("valid_to > valid_from", name="delegation_instants_in_order"),
        sa.ForeignKeyConstraint(["from_sub"], ["person.sub"], name="delegation_from"),
        sa.ForeignKeyConstraint(["to_sub"], ["person.sub"], name="delegation_to"),
        sa.PrimaryKeyConstraint("delegation_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.create_index("delegation_for", ["to_sub"], unique=False)
        batch_op.create_index("delegation_of", ["from_sub"], unique=False)

    op.create_table(
        "change_order",
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("from_version", Int64, nullable=False),
        sa.Column("to_version", Int64, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_role", sa.Text(), nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("request", JsonText(), nullable=False),
        sa.Column("becomes", JsonText(), nullable=False),
        sa.Column("difference", JsonText(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total_before_minor", Int64, nullable=False),
        sa.Column("total_after_minor", Int64, nullable=False),
        sa.Column("is_material", Flag(), nullable=False),
        sa.Column("needs_consent", Flag(), nullable=False),
        sa.Column("is_recalled", Flag(), nullable=False),
        sa.Column("consent_expires_at", UtcDateTime(), nullable=True),
        sa.Column("consented_by", sa.Text(), nullable=False),
        sa.Column("consented_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.Column("kinds", JsonText(), nullable=False),
        sa.Column("intent_fact_id", sa.Text(), nullable=False),
        sa.CheckConstraint("(consented_at IS NULL) = (consented_by = '')", name="change_order_consent_by_somebody"),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('applied', 'declined', 'expired', 'rejected', 'withdrawn'))",
            name="change_order_ended_when_it_ended",
        ),
        sa.CheckConstraint(
            "state IN ('awaiting_customer', 'in_review', 'agreed', 'awaiting_warehouse', 'applied', 'declined', 'expired', 'rejected', 'withdrawn')",
            name="change_order_state_known",
        ),
        sa.CheckConstraint("to_version = from_version + 1", name="change_order_next_version"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="change_order_order"),
        sa.PrimaryKeyConstraint("change_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("change_order", schema=None) as batch_op:
        batch_op.create_index("change_order_of_order", ["order_id", "proposed_at"], unique=False)
        batch_op.create_index(
            "change_order_one_pending",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('awaiting_customer', 'in_review', 'agreed', 'awaiting_warehouse')"),
            postgresql_where=sa.text("state IN ('awaiting_customer', 'in_review', 'agreed', 'awaiting_warehouse')"),
        )

    op.create_table(
        "review",
        sa.Column("review_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_version", Int64, nullable=False),
        sa.Column("policy_version", Int64, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("cumulative_minor", Int64, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'rejected', 'changes_requested', 'void', 'expired', 'withdrawn')",
            name="review_state_known",
        ),
        sa.CheckConstraint("order_version >= 1", name="review_version_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="review_order"),
        sa.PrimaryKeyConstraint("review_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("review_of_order", ["order_id", "opened_at"], unique=False)
        batch_op.create_index(
            "review_one_standing",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'changes_requested')"),
            postgresql_where=sa.text("state IN ('open', 'changes_requested')"),
        )

    op.create_table(
        "order_version",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("version", Int64, nullable=False),
        sa.Column("document", JsonText(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("replaced_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("version >= 1", name="order_version_positive"),
        sa.ForeignKeyConstraint(["change_id"], ["change_order.change_id"], name="order_version_change"),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.order_id"], name="order_version_order"),
        sa.PrimaryKeyConstraint("order_id", "version"),
        sqlite_strict=True,
    )
    op.create_table(
        "review_step",
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_version", Int64, nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("level", Int64, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("needed", Int64, nullable=False),
        sa.Column("limit_rule", sa.Text(), nullable=False),
        sa.Column("codes", JsonText(), nullable=False),
        sa.Column("reasons", JsonText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("asked_on", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("remind_at", UtcDateTime(), nullable=True),
        sa.Column("escalate_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("escalated_at", UtcDateTime(), nullable=True),
        sa.Column("escalated_to", JsonText(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("(state <> 'open') OR (opened_at IS NOT NULL)", name="review_step_opened_when_open"),
        sa.CheckConstraint("chain IN ('seller', 'buyer')", name="review_step_chain_known"),
        sa.CheckConstraint(
            "state IN ('waiting', 'open', 'approved', 'rejected', 'changes_requested', 'void', 'expired')",
            name="review_step_state_known",
        ),
        sa.CheckConstraint("needed >= 1 AND level >= 1", name="review_step_numbers_positive"),
        sa.ForeignKeyConstraint(["review_id"], ["review.review_id"], name="review_step_review"),
        sa.PrimaryKeyConstraint("step_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("review_step", schema=None) as batch_op:
        batch_op.create_index("review_step_inbox", ["state", "role", "opened_at"], unique=False)
        batch_op.create_index("review_step_of_order", ["order_id"], unique=False)
        batch_op.create_index("review_step_of_review", ["review_id"], unique=False)

    op.create_table(
        "review_decision",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("review_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("order_version", Int64, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("acting_for", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("is_approval", Flag(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ready_on", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("is_void", Flag(), nullable=False),
        sa.Column("intent_fact_id", sa.Text(), nullable=False),
        sa.CheckConstraint("decision IN ('approve', 'reject', 'request_changes')", name="review_decision_known"),
        sa.CheckConstraint("decided_by <> acting_for", name="review_decision_not_for_oneself"),
        sa.ForeignKeyConstraint(["step_id"], ["review_step.step_id"], name="review_decision_step"),
        sa.PrimaryKeyConstraint("decision_id"),
        sqlite_strict=True,
    )
    with op.batch_alter_table("review_decision", schema=None) as batch_op:
        batch_op.create_index(
            "review_decision_distinct_authority",
            ["review_id", "authority"],
            unique=True,
            sqlite_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
            postgresql_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
        )
        batch_op.create_index(
            "review_decision_distinct_people",
            ["review_id", "decided_by"],
            unique=True,
            sqlite_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
            postgresql_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
        )
        batch_op.create_index("review_decision_of_order", ["order_id"], unique=False)
        batch_op.create_index("review_decision_once_a_step", ["step_id", "decided_by"], unique=True)

    op.add_column("hold", sa.Column("order_version", Int64, nullable=False, server_default="1"))
    _number_holds(["order_id", "code", "order_version"])
    op.add_column("order_progress", sa.Column("is_asked", Flag(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("order_progress", "is_asked")
    _number_holds(["order_id", "code"])
    with op.batch_alter_table("hold", table_kwargs={"sqlite_strict": True}, copy_from=_HOLD) as batch_op:
        batch_op.drop_column("order_version")

    with op.batch_alter_table("review_decision", schema=None) as batch_op:
        batch_op.drop_index("review_decision_once_a_step")
        batch_op.drop_index("review_decision_of_order")
        batch_op.drop_index(
            "review_decision_distinct_people",
            sqlite_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
            postgresql_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
        )
        batch_op.drop_index(
            "review_decision_distinct_authority",
            sqlite_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
            postgresql_where=sa.text("decision = 'approve' AND is_approval AND NOT is_void"),
        )

    op.drop_table("review_decision")
    with op.batch_alter_table("review_step", schema=None) as batch_op:
        batch_op.drop_index("review_step_of_review")
        batch_op.drop_index("review_step_of_order")
        batch_op.drop_index("review_step_inbox")

    op.drop_table("review_step")
    op.drop_table("order_version")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(
            "review_one_standing",
            sqlite_where=sa.text("state IN ('open', 'changes_requested')"),
            postgresql_where=sa.text("state IN ('open', 'changes_requested')"),
        )
        batch_op.drop_index("review_of_order")

    op.drop_table("review")
    with op.batch_alter_table("change_order", schema=None) as batch_op:
        batch_op.drop_index(
            "change_order_one_pending",
            sqlite_where=sa.text("state IN ('awaiting_customer', 'in_review', 'agreed', 'awaiting_warehouse')"),
            postgresql_where=sa.text("state IN ('awaiting_customer', 'in_review', 'agreed', 'awaiting_warehouse')"),
        )
        batch_op.drop_index("change_order_of_order")

    op.drop_table("change_order")
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.drop_index("delegation_of")
        batch_op.drop_index("delegation_for")

    op.drop_table("delegation")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index("person_company")

    op.drop_table("person")
