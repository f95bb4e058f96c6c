"""Credit notes and what is given up of invoices; corrections of invoices wait for a second person as those of payments do."""

import sqlalchemy as sa
from alembic import op

from services.runtime import db
from services.runtime.value_lists import allow_values

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_BEFORE = (
    "cash", "accounts_receivable", "marketplace_clearing", "inventory", "goods_received_not_invoiced", "tax_payable",
    "unapplied_cash", "customer_deposits", "revenue", "freight_revenue", "sales_discounts", "cost_of_goods_sold",
    "marketplace_fees", "shrinkage", "card_fees",
)  # fmt: skip
_AFTER = (*_BEFORE, "sales_returns", "bad_debt")
_SOURCES_BEFORE = ("invoice", "payment", "stock_movement", "payout")
_SOURCES_AFTER = (*_SOURCES_BEFORE, "credit_note", "write_off")
_SETTLED = "paid_minor + discount_taken_minor + settled_elsewhere_minor"
_OPEN_BEFORE = "total_minor - paid_minor - discount_taken_minor - settled_elsewhere_minor > 0"
_OPEN_AFTER = (
    "total_minor - paid_minor - discount_taken_minor - settled_elsewhere_minor - credited_minor - written_off_minor > 0"
)
_REASONS = "('billing_error', 'price', 'shortage', 'damaged', 'returned', 'goodwill', 'other')"
_KINDS_BEFORE = "('reversal', 'reapplication', 'refund')"
_KINDS_AFTER = "('reversal', 'reapplication', 'refund', 'credit_note', 'write_off')"
_CORRECTION = (
    "correction_id", "payment_id", "kind", "currency", "amount_minor", "reason", "request", "asked_by", "asked_at", "state",
    "decided_by", "decided_at", "note",
)  # fmt: skip
_IS_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    integer = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for name, check in (
        ("credited", f"credited_minor >= 0 AND {_SETTLED} + credited_minor <= total_minor"),
        ("written_off", f"written_off_minor >= 0 AND {_SETTLED} + credited_minor + written_off_minor <= total_minor"),
    ):
        op.execute(
            f"ALTER TABLE invoice ADD COLUMN {name}_minor {integer} NOT NULL DEFAULT 0 CONSTRAINT invoice_{name} CHECK ({check})"
        )
    op.execute(
        f"ALTER TABLE invoice_line ADD COLUMN credited_quantity {integer} NOT NULL DEFAULT 0 "
        "CONSTRAINT invoice_line_credited CHECK (credited_quantity >= 0 AND credited_quantity <= quantity)"
    )
    _index_open(_OPEN_AFTER)
    _create_credit_note()
    _create_parts()
    _create_tax_parts()
    _create_correction()
    allow_values("journal_entry", {"debit": _AFTER, "credit": _AFTER, "source_type": _SOURCES_AFTER})


def _index_open(is_open: str) -> None:
    op.drop_index("invoice_open", "invoice")
    op.create_index(
        "invoice_open", "invoice", ["sequence"], sqlite_where=sa.text(is_open), postgresql_where=sa.text(is_open)
    )


def _create_credit_note() -> None:
    texts = (
        "number", "invoice_id", "invoice_number", "order_id", "order_number", "customer_id", "currency", "credited_on",
        "reason_code", "reason", "asked_by", "approved_by",
    )  # fmt: skip
    amounts = (
        "merchandise", "discount", "allowance", "freight", "tax", "total", "open", "recovered", "discount_lost", "cash"
    )  # fmt: skip
    op.create_table(
        "credit_note",
        sa.Column("credit_note_id", sa.Text(), nullable=False),
        sa.Column("sequence", db.Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(f"{name}_minor", db.Int64, nullable=False) for name in amounts),
        sa.Column("issued_at", db.UtcDateTime(), nullable=False),
        *(sa.CheckConstraint(check, name=f"credit_note_{name}") for name, check in _CHECKS),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="credit_note_invoice"),
        sa.PrimaryKeyConstraint("credit_note_id"),
        sa.UniqueConstraint("sequence", name="credit_note_sequence"),
        sa.UniqueConstraint("number", name="credit_note_number"),
        sqlite_strict=True,
    )
    op.create_index("credit_note_of_invoice", "credit_note", ["invoice_id"])
    op.create_index("credit_note_of_order", "credit_note", ["order_id"])
    op.create_index("credit_note_of_customer", "credit_note", ["customer_id", "sequence"])


_CHECKS = (
    ("reason_code", f"reason_code IN {_REASONS}"),
    (
        "parts",
        (
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0 "
            "AND merchandise_minor - discount_minor + allowance_minor >= 0"
        ),
    ),
    (
        "total",
        "total_minor = merchandise_minor - discount_minor + allowance_minor + freight_minor + tax_minor AND total_minor > 0",
    ),
    (
        "landing",
        (
            "open_minor >= 0 AND recovered_minor >= 0 AND discount_lost_minor >= 0 AND cash_minor >= 0 "
            "AND total_minor = open_minor + recovered_minor + discount_lost_minor + cash_minor"
        ),
    ),
)


def _create_tax_parts() -> None:
    amounts = ("merchandise", "discount", "allowance", "freight", "tax")
    never_negative = " AND ".join(f"{name}_minor >= 0" for name in amounts if name != "allowance")
    op.create_table(
        "credit_note_tax_part",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("credit_note_id", "tax_key")),
        sa.Column("position", db.Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("code", "rate", "reason")),
        *(sa.Column(f"{name}_minor", db.Int64, nullable=False) for name in amounts),
        sa.CheckConstraint(never_negative, name="credit_note_tax_part_amounts"),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="credit_note_tax_part_note"),
        sa.PrimaryKeyConstraint("credit_note_id", "tax_key"),
        sqlite_strict=True,
    )


def _create_parts() -> None:
    op.create_table(
        "credit_note_line",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("credit_note_id", "line_id")),
        sa.Column("position", db.Int64, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sku", "description", "unit_price", "tax_key")),
        *(sa.Column(name, db.Int64, nullable=False) for name in ("quantity", "extended_minor")),
        sa.CheckConstraint("quantity > 0", name="credit_note_line_quantity"),
        sa.CheckConstraint("extended_minor >= 0", name="credit_note_line_extended"),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="credit_note_line_note"),
        sa.PrimaryKeyConstraint("credit_note_id", "line_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "credit_note_cash",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("credit_note_id", "payment_id")),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="credit_note_cash_amount"),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="credit_note_cash_note"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="credit_note_cash_payment"),
        sa.PrimaryKeyConstraint("credit_note_id", "payment_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "write_off",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("write_off_id", "invoice_id", "reason", "asked_by", "approved_by")
        ),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("written_off_at", db.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="write_off_amount"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="write_off_invoice"),
        sa.PrimaryKeyConstraint("write_off_id"),
        sqlite_strict=True,
    )
    op.create_index("write_off_of_invoice", "write_off", ["invoice_id"])


def _create_correction() -> None:
    _correction_table("correction", _KINDS_AFTER, is_of_invoices=True)
    _move_corrections("payment_correction", "correction")


def _correction_table(table: str, kinds: str, *, is_of_invoices: bool) -> None:
    texts = ("kind", "currency", "reason", "request", "asked_by", "state", "decided_by", "note")
    subjects = ("payment", "invoice") if is_of_invoices else ("payment",)
    op.create_table(
        table,
        sa.Column("correction_id", sa.Text(), nullable=False),
        *(sa.Column(f"{one}_id", sa.Text(), nullable=is_of_invoices) for one in subjects),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("amount_minor", db.Int64, nullable=False),
        sa.Column("asked_at", db.UtcDateTime(), nullable=False),
        sa.Column("decided_at", db.UtcDateTime(), nullable=True),
        sa.CheckConstraint(f"kind IN {kinds}", name=f"{table}_kind"),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'declined')", name=f"{table}_state"),
        sa.CheckConstraint("(state = 'waiting') = (decided_by = '')", name=f"{table}_decided"),
        sa.CheckConstraint("decided_by <> asked_by", name=f"{table}_second_person"),
        *(
            [sa.CheckConstraint("(payment_id IS NULL) <> (invoice_id IS NULL)", name=f"{table}_subject")]
            if is_of_invoices
            else []
        ),
        *(sa.ForeignKeyConstraint([f"{one}_id"], [f"{one}.{one}_id"], name=f"{table}_{one}") for one in subjects),
        sa.PrimaryKeyConstraint("correction_id"),
        sqlite_strict=True,
    )
    for one in subjects:
        name = f"{table}_waiting_{one}_id" if is_of_invoices else f"{table}_waiting"
        op.create_index(name, table, [f"{one}_id"], unique=True, sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING)


def _move_corrections(old: str, new: str) -> None:
    columns = ", ".join(_CORRECTION)
    op.execute(f"INSERT INTO {new} ({columns}) SELECT {columns} FROM {old} WHERE payment_id IS NOT NULL")  # noqa: S608 - constants
    op.drop_table(old)


def downgrade() -> None:
    _correction_table("payment_correction", _KINDS_BEFORE, is_of_invoices=False)
    _move_corrections("correction", "payment_correction")
    for table in ("write_off", "credit_note_cash", "credit_note_tax_part", "credit_note_line", "credit_note"):
        op.drop_table(table)
    allow_values("journal_entry", {"debit": _BEFORE, "credit": _BEFORE, "source_type": _SOURCES_BEFORE})
    _index_open(_OPEN_BEFORE)
    op.drop_column("invoice_line", "credited_quantity")
    op.drop_column("invoice", "written_off_minor")
    op.drop_column("invoice", "credited_minor")
