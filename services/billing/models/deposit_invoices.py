"""Deposit invoices, credit notes of them, and what invoices deduct."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from services.billing.domain.deposit_invoices import KINDS
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class DepositInvoice(Table, table=True):
    """A posted deposit invoice or credit note of one; only what is deducted and credited of it changes.

    `corrects` is the number of the deposit invoice that a credit note is of, `corrected_on` its day. What stands after `issued_at` is
    the header of its paper.
    """

    __tablename__ = "deposit_invoice"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="deposit_invoice_account",
        ),
        UniqueConstraint("kind", "sequence", name="deposit_invoice_sequence"),
        UniqueConstraint("number", name="deposit_invoice_number"),
        CheckConstraint(one_of("kind", KINDS), name="deposit_invoice_kind"),
        CheckConstraint("(kind = 'credit_note') = (corrects <> '')", name="deposit_invoice_corrects"),
        CheckConstraint(
            "total_minor > 0 AND tax_minor >= 0 AND tax_minor <= total_minor", name="deposit_invoice_total"
        ),
        CheckConstraint(
            "deducted_minor >= 0 AND credited_minor >= 0 AND deducted_minor + credited_minor <= total_minor",
            name="deposit_invoice_used",
        ),
        Index("deposit_invoice_of_order", "order_id", "deposit_invoice_id"),
        Index("deposit_invoice_of_customer", "customer_id", "deposit_invoice_id"),
        STRICT,
    )
    deposit_invoice_id: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text)
    sequence: int = Field(sa_type=Int64)
    number: str = Field(sa_type=Text)
    corrects: str = Field(sa_type=Text)
    corrected_on: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    invoiced_on: str = Field(sa_type=Text)
    received_on: str = Field(sa_type=Text)
    total_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    deducted_minor: int = Field(sa_type=Int64)
    credited_minor: int = Field(sa_type=Int64)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    po_number: str = Field(sa_type=Text)
    ordered_on: str = Field(sa_type=Text)
    payment_method: str = Field(sa_type=Text)
    tax_rate: str = Field(sa_type=Text)
    tax_on: str = Field(sa_type=Text)
    tax_exemption: str = Field(sa_type=Text)
    customer_tax_id: str = Field(sa_type=Text)
    bill_to_name: str = Field(sa_type=Text)
    ship_to_name: str = Field(sa_type=Text)
    ship_to_street: str = Field(sa_type=Text)
    ship_to_city: str = Field(sa_type=Text)
    ship_to_region: str = Field(sa_type=Text)
    ship_to_postal_code: str = Field(sa_type=Text)
    ship_to_country: str = Field(sa_type=Text)
    billing_name: str = Field(sa_type=Text)
    billing_street: str = Field(sa_type=Text)
    billing_city: str = Field(sa_type=Text)
    billing_region: str = Field(sa_type=Text)
    billing_postal_code: str = Field(sa_type=Text)
    billing_country: str = Field(sa_type=Text)


class DepositInvoicePart(Table, table=True):
    """What of a deposit invoice is taxed in one way, and what of that is neither deducted nor credited: nothing of a credit note."""

    __tablename__ = "deposit_invoice_part"
    __table_args__ = (
        ForeignKeyConstraint(
            ["deposit_invoice_id"], ["deposit_invoice.deposit_invoice_id"], name="deposit_invoice_part_invoice"
        ),
        CheckConstraint("net_minor >= 0 AND tax_minor >= 0", name="deposit_invoice_part_amounts"),
        CheckConstraint(
            "left_net_minor >= 0 AND left_net_minor <= net_minor AND left_tax_minor >= 0 AND left_tax_minor <= tax_minor",
            name="deposit_invoice_part_left",
        ),
        STRICT,
    )
    deposit_invoice_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    code: str = Field(sa_type=Text)
    rate: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    net_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    left_net_minor: int = Field(sa_type=Int64)
    left_tax_minor: int = Field(sa_type=Int64)


class DepositDeduction(Table, table=True):
    """What an invoice deducts of a deposit invoice, and the tax in it."""

    __tablename__ = "deposit_deduction"
    __table_args__ = (
        ForeignKeyConstraint(
            ["deposit_invoice_id"], ["deposit_invoice.deposit_invoice_id"], name="deposit_deduction_deposit"
        ),
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="deposit_deduction_invoice"),
        CheckConstraint(
            "amount_minor > 0 AND tax_minor >= 0 AND tax_minor <= amount_minor", name="deposit_deduction_amounts"
        ),
        Index("deposit_deduction_of_invoice", "invoice_id"),
        STRICT,
    )
    deposit_invoice_id: str = Field(sa_type=Text, primary_key=True)
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    amount_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
