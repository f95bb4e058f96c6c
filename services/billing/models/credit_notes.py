"""Credit notes of invoices, and what of invoices is given up."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, false, text
from sqlmodel import Field

from services.billing.domain.credit_notes import REASONS
from services.billing.models.base import Table, counted, one_of
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime

_OF_RETURN = text("return_id <> ''")


class CreditNote(Table, table=True):
    """A posted credit note; it never changes. Its total goes off what was open, off what was given up, off a discount, and to cash.

    `deferred_goods_minor` and `deferred_freight_minor` are what of it had not become revenue. `fee_minor` is kept of what was paid, and
    what was not paid of it stays open.
    """

    __tablename__ = "credit_note"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="credit_note_invoice"),
        UniqueConstraint("sequence", name="credit_note_sequence"),
        UniqueConstraint("number", name="credit_note_number"),
        CheckConstraint(one_of("reason_code", REASONS), name="credit_note_reason_code"),
        CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0 "
            "AND merchandise_minor - discount_minor + allowance_minor >= 0",
            name="credit_note_parts",
        ),
        CheckConstraint(
            "total_minor = merchandise_minor - discount_minor + allowance_minor + freight_minor + tax_minor "
            "AND total_minor > 0",
            name="credit_note_total",
        ),
        CheckConstraint(
            "open_minor >= 0 AND recovered_minor >= 0 AND discount_lost_minor >= 0 AND cash_minor >= 0 "
            "AND total_minor = open_minor + recovered_minor + discount_lost_minor + cash_minor",
            name="credit_note_landing",
        ),
        CheckConstraint("deferred_goods_minor >= 0", name="credit_note_deferred_goods"),
        CheckConstraint("deferred_freight_minor >= 0", name="credit_note_deferred_freight"),
        CheckConstraint("fee_minor >= 0 AND fee_minor <= open_minor + cash_minor", name="credit_note_fee"),
        Index("credit_note_of_return", "return_id", sqlite_where=_OF_RETURN, postgresql_where=_OF_RETURN),
        Index("credit_note_of_invoice", "invoice_id"),
        Index("credit_note_of_order", "order_id"),
        Index("credit_note_of_customer", "customer_id", "sequence"),
        STRICT,
    )
    credit_note_id: str = Field(sa_type=Text, primary_key=True)
    sequence: int = Field(sa_type=Int64)
    number: str = Field(sa_type=Text)
    invoice_id: str = Field(sa_type=Text)
    invoice_number: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    credited_on: str = Field(sa_type=Text)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    reason_code: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    merchandise_minor: int = Field(sa_type=Int64)
    discount_minor: int = Field(sa_type=Int64)
    allowance_minor: int = Field(sa_type=Int64)
    freight_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    claw_back_minor: int = counted()
    total_minor: int = Field(sa_type=Int64)
    deferred_goods_minor: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    deferred_freight_minor: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    open_minor: int = Field(sa_type=Int64)
    recovered_minor: int = Field(sa_type=Int64)
    discount_lost_minor: int = Field(sa_type=Int64)
    cash_minor: int = Field(sa_type=Int64)
    asked_by: str = Field(sa_type=Text)
    approved_by: str = Field(sa_type=Text)
    is_held: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    fee_minor: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    return_id: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    ours_minor: int = counted()


class CreditNoteLine(Table, table=True):
    """Units of an invoice's line that a credit note credits."""

    __tablename__ = "credit_note_line"
    __table_args__ = (
        ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="credit_note_line_note"),
        CheckConstraint("quantity > 0", name="credit_note_line_quantity"),
        CheckConstraint("extended_minor >= 0", name="credit_note_line_extended"),
        STRICT,
    )
    credit_note_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64)
    sku: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    unit_price: str = Field(sa_type=Text)
    extended_minor: int = Field(sa_type=Int64)
    tax_key: str = Field(sa_type=Text)


class CreditNoteTaxPart(Table, table=True):
    """What a credit note credits of a tax part of its invoice."""

    __tablename__ = "credit_note_tax_part"
    __table_args__ = (
        ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="credit_note_tax_part_note"),
        CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0",
            name="credit_note_tax_part_amounts",
        ),
        STRICT,
    )
    credit_note_id: str = Field(sa_type=Text, primary_key=True)
    tax_key: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64)
    code: str = Field(sa_type=Text)
    rate: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    merchandise_minor: int = Field(sa_type=Int64)
    discount_minor: int = Field(sa_type=Int64)
    allowance_minor: int = Field(sa_type=Int64)
    freight_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    claw_back_minor: int = counted()


class CreditNoteCash(Table, table=True):
    """Cash of a payment that a credit note left on account."""

    __tablename__ = "credit_note_cash"
    __table_args__ = (
        ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="credit_note_cash_note"),
        ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="credit_note_cash_payment"),
        CheckConstraint("amount_minor > 0", name="credit_note_cash_amount"),
        STRICT,
    )
    credit_note_id: str = Field(sa_type=Text, primary_key=True)
    payment_id: str = Field(sa_type=Text, primary_key=True)
    amount_minor: int = Field(sa_type=Int64)


class ReturnRefund(Table, table=True):
    """Cash of a return's credit note that has gone back to its payer, once."""

    __tablename__ = "return_refund"
    __table_args__ = (
        ForeignKeyConstraint(
            ["credit_note_id", "payment_id"],
            ["credit_note_cash.credit_note_id", "credit_note_cash.payment_id"],
            name="return_refund_cash",
        ),
        CheckConstraint("amount_minor > 0", name="return_refund_amount"),
        STRICT,
    )
    credit_note_id: str = Field(sa_type=Text, primary_key=True)
    payment_id: str = Field(sa_type=Text, primary_key=True)
    request_id: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    refunded_at: datetime = Field(sa_type=UtcDateTime)


class WriteOff(Table, table=True):
    """What of an invoice was given up at once, and why."""

    __tablename__ = "write_off"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="write_off_invoice"),
        CheckConstraint("amount_minor > 0", name="write_off_amount"),
        Index("write_off_of_invoice", "invoice_id"),
        STRICT,
    )
    write_off_id: str = Field(sa_type=Text, primary_key=True)
    invoice_id: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    reason: str = Field(sa_type=Text)
    asked_by: str = Field(sa_type=Text)
    approved_by: str = Field(sa_type=Text)
    written_off_at: datetime = Field(sa_type=UtcDateTime)
