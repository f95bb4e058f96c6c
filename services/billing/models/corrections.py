"""Corrections of payments and invoices that wait for a second person."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from services.billing.domain.corrections import KINDS, STATES
from services.billing.models.base import Table, one_of
from services.runtime.db import STRICT, Int64, Text, UtcDateTime

_IS_WAITING = text("state = 'waiting'")


class Correction(Table, table=True):
    """A correction that somebody asked for, and what another person decided; one waits for a payment or an invoice at a time."""

    __tablename__ = "correction"
    __table_args__ = (
        ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="correction_payment"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.invoice_id"], name="correction_invoice"),
        CheckConstraint(one_of("kind", KINDS), name="correction_kind"),
        CheckConstraint("(payment_id IS NULL) <> (invoice_id IS NULL)", name="correction_subject"),
        CheckConstraint(one_of("state", STATES), name="correction_state"),
        CheckConstraint("(state = 'waiting') = (decided_by = '')", name="correction_decided"),
        CheckConstraint("decided_by <> asked_by", name="correction_second_person"),
        *(
            Index(
                f"correction_waiting_{column}",
                column,
                unique=True,
                sqlite_where=_IS_WAITING,
                postgresql_where=_IS_WAITING,
            )
            for column in ("payment_id", "invoice_id")
        ),
        STRICT,
    )
    correction_id: str = Field(sa_type=Text, primary_key=True)
    payment_id: str | None = Field(default=None, sa_type=Text)
    invoice_id: str | None = Field(default=None, sa_type=Text)
    kind: str = Field(sa_type=Text)
    currency: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=Int64)
    reason: str = Field(sa_type=Text)
    request: str = Field(sa_type=Text)
    asked_by: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(sa_type=Text)
    decided_by: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str = Field(sa_type=Text)
