"""Invoices: their numbers, lines, installments and deliveries."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, false, text
from sqlmodel import Field

from services.billing.models.base import Table, counted
from services.runtime.db import STRICT, Flag, Int64, Text, UtcDateTime

# what is open and what is left over are few rows of many: indexes of those alone, found by queries that say the same words
_IS_OPEN = text(
    "total_minor - paid_minor - discount_taken_minor - settled_elsewhere_minor - credited_minor - written_off_minor > 0"
)
_IS_SHARE = text("consolidated_id <> ''")
_SETTLED = "paid_minor + discount_taken_minor + settled_elsewhere_minor"


class Counter(Table, table=True):
    """The last number given; a row and not a sequence, because a number must come back when its transaction does not commit."""

    __tablename__ = "counter"
    __table_args__ = (CheckConstraint("last_number >= 0", name="counter_last_number"), STRICT)
    name: str = Field(sa_type=Text, primary_key=True)
    last_number: int = Field(sa_type=Int64)


class Invoice(Table, table=True):
    """A posted invoice; only what is settled, credited or given up of it changes, and `due_on` of one that waits for its delivery (9999-12-31).

    `terms` and `calendar` are those of its order; `discount_until` is empty without a discount for paying early.
    `shipment_ids` has all that it bills, one a line, where it bills several; `shipment_id` the first.
    One that `is_at_order` bills no shipment: `shipment_id` is then its order and a number.
        What is `reversed` of it had not left, is credited, and is billed again.
        One with a `fee_id` bills a fee of its order, and no goods: `shipment_id` is then made of that.
        One of several orders is a row an order, its shares: they have one number, one `consolidated_id`, and count from 1 in `share`,
        which is 0 for all others.
        One that `bills_parts` of shipments names them in `shipment_ids`; `shipment_id` is then made of its own identity.
        What stands after `issued_at` is the header of its paper, empty for one of before it was kept.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        ForeignKeyConstraint(
            ["customer_id", "currency"],
            ["credit_account.customer_id", "credit_account.currency"],
            name="invoice_account",
        ),
        UniqueConstraint("sequence", "share", name="invoice_sequence"),
        UniqueConstraint("number", "share", name="invoice_number"),
        UniqueConstraint("shipment_id", name="invoice_shipment"),
        CheckConstraint("sequence > 0", name="invoice_sequence_positive"),
        CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0",
            name="invoice_parts",
        ),
        CheckConstraint(
            "total_minor = merchandise_minor - discount_minor + freight_minor + tax_minor", name="invoice_total"
        ),
        CheckConstraint("discount_minor <= merchandise_minor", name="invoice_discount"),
        CheckConstraint("paid_minor >= 0 AND paid_minor <= total_minor", name="invoice_paid"),
        CheckConstraint("settled_elsewhere_minor >= 0", name="invoice_settled_elsewhere"),
        CheckConstraint(
            "discount_taken_minor >= 0 AND paid_minor + discount_taken_minor <= total_minor", name="invoice_settled"
        ),
        CheckConstraint(f"credited_minor >= 0 AND {_SETTLED} + credited_minor <= total_minor", name="invoice_credited"),
        CheckConstraint(
            f"written_off_minor >= 0 AND {_SETTLED} + credited_minor + written_off_minor <= total_minor",
            name="invoice_written_off",
        ),
        CheckConstraint("due_on >= invoiced_on", name="invoice_due"),
        Index("invoice_of_order", "order_id"),
        Index("invoice_of_customer", "customer_id", "currency", "due_on"),
        Index("invoice_of_consolidated", "consolidated_id", sqlite_where=_IS_SHARE, postgresql_where=_IS_SHARE),
        Index("invoice_open", "sequence", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        STRICT,
    )
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    sequence: int = Field(sa_type=Int64)
    number: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    customer_id: str = Field(sa_type=Text)
    shipment_id: str = Field(sa_type=Text)
    shipment_ids: str = Field(sa_type=Text)
    fee_id: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    consolidated_id: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    share: int = counted()
    bills_parts: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    is_at_order: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    currency: str = Field(sa_type=Text)
    invoiced_on: str = Field(sa_type=Text)
    due_on: str = Field(sa_type=Text)
    merchandise_minor: int = Field(sa_type=Int64)
    discount_minor: int = Field(sa_type=Int64)
    freight_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    total_minor: int = Field(sa_type=Int64)
    paid_minor: int = Field(sa_type=Int64)
    settled_elsewhere_minor: int = Field(sa_type=Int64)
    terms: str = Field(sa_type=Text)
    calendar: str = Field(sa_type=Text)
    early_discount_minor: int = Field(sa_type=Int64)
    discount_until: str = Field(sa_type=Text)
    discount_taken_minor: int = Field(sa_type=Int64)
    credited_minor: int = Field(sa_type=Int64)
    written_off_minor: int = Field(sa_type=Int64)
    reversed_merchandise_minor: int = counted()
    reversed_discount_minor: int = counted()
    reversed_freight_minor: int = counted()
    reversed_tax_minor: int = counted()
    discount_minimum_minor: int = counted()
    ordered_minor: int = counted()
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
    billing_name: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    billing_street: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    billing_city: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    billing_region: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    billing_postal_code: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})
    billing_country: str = Field(sa_type=Text, sa_column_kwargs={"server_default": ""})


class InvoiceLine(Table, table=True):
    """A line of an invoice, how many of its units credit notes have credited, and what of it is billed again."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_line_invoice"),
        CheckConstraint("quantity > 0", name="invoice_line_quantity"),
        CheckConstraint("extended_minor >= 0", name="invoice_line_extended"),
        CheckConstraint("credited_quantity >= 0 AND credited_quantity <= quantity", name="invoice_line_credited"),
        CheckConstraint(
            "returned_by_hand >= 0 AND returned_by_hand <= credited_quantity", name="invoice_line_returned_by_hand"
        ),
        STRICT,
    )
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64)
    sku: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    unit_price: str = Field(sa_type=Text)
    extended_minor: int = Field(sa_type=Int64)
    tax_key: str = Field(sa_type=Text)
    credited_quantity: int = Field(sa_type=Int64)
    reversed_quantity: int = counted()
    reversed_extended_minor: int = counted()
    returned_by_hand: int = counted()


class InvoiceTaxPart(Table, table=True):
    """What of an invoice is taxed in one way: its share of the goods, the discount and the freight, and the tax on them."""

    __tablename__ = "invoice_tax_part"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_tax_part_invoice"),
        CheckConstraint(
            "merchandise_minor >= 0 AND discount_minor >= 0 AND freight_minor >= 0 AND tax_minor >= 0",
            name="invoice_tax_part_amounts",
        ),
        CheckConstraint("discount_minor <= merchandise_minor", name="invoice_tax_part_discount"),
        STRICT,
    )
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    tax_key: str = Field(sa_type=Text)
    code: str = Field(sa_type=Text)
    rate: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    merchandise_minor: int = Field(sa_type=Int64)
    discount_minor: int = Field(sa_type=Int64)
    freight_minor: int = Field(sa_type=Int64)
    tax_minor: int = Field(sa_type=Int64)
    reversed_merchandise_minor: int = counted()
    reversed_discount_minor: int = counted()
    reversed_freight_minor: int = counted()
    reversed_tax_minor: int = counted()


class InvoiceInstallment(Table, table=True):
    """A part of an invoice that falls due on a day of its own; an invoice that falls due at once has none."""

    __tablename__ = "invoice_installment"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="invoice_installment_invoice"),
        CheckConstraint("amount_minor >= 0", name="invoice_installment_amount"),
        STRICT,
    )
    invoice_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    due_on: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)


class Delivery(Table, table=True):
    """The day a shipment arrived; empty while an invoice waits for it."""

    __tablename__ = "delivery"
    __table_args__ = (STRICT,)
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    delivered_on: str = Field(sa_type=Text)
