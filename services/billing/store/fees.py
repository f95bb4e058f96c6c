"""Invoices of fees."""

from sqlalchemy import bindparam, select
from sqlmodel import Session

from services.billing.domain.invoices import Invoice, fee_key
from services.billing.store import invoices, tables

_OF_FEE = select(tables.invoice.c.invoice_id).where(tables.invoice.c.shipment_id == bindparam("fee"))


def invoice_of(session: Session, fee_id: str) -> Invoice | None:
    """The one invoice that charges a fee, if it was issued."""
    found = session.execute(_OF_FEE, {"fee": fee_key(fee_id)}).scalar()
    return invoices.by_id(session, found) if found else None
