"""Shipments whose ship confirm was reversed, and what became of their invoices."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from services.billing.domain.reversals import OUTCOMES
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Int64, Text, UtcDateTime


class ShipmentReversal(Table, table=True):
    """A shipment that never left: it is not billed any more, whoever asks for that later.

    `invoice_id` is set where an invoice had billed it, `credit_note_id` where anything of that was left to be credited.
    """

    __tablename__ = "shipment_reversal"
    __table_args__ = (
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="shipment_reversal_invoice"),
        ForeignKeyConstraint(["credit_note_id"], ["credit_note.credit_note_id"], name="shipment_reversal_note"),
        CheckConstraint(one_of("outcome", OUTCOMES), name="shipment_reversal_outcome"),
        CheckConstraint("(outcome = 'credited') = (invoice_id IS NOT NULL)", name="shipment_reversal_credited"),
        CheckConstraint(
            "amount_minor >= 0 AND held_minor BETWEEN 0 AND amount_minor", name="shipment_reversal_amounts"
        ),
        Index("shipment_reversal_of_order", "order_id"),
        STRICT,
    )
    shipment_id: str = Field(sa_type=Text, primary_key=True)
    shipment_number: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    held_minor: int = Field(sa_type=Int64)
    invoice_id: str | None = Field(default=None, sa_type=Text)
    credit_note_id: str | None = Field(default=None, sa_type=Text)
    reversed_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
