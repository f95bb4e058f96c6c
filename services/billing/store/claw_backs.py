"""What an order keeps of a discount that is taken back below its minimum."""

from sqlalchemy import bindparam, case, func, select
from sqlmodel import Session

from services.billing.domain.claw_backs import RETURNED, DiscountKept
from services.billing.domain.invoices import Threshold
from services.billing.store import tables
from services.kernel.money import Money

_bill, _note = tables.invoice.c, tables.credit_note.c
_OF_ORDER = _note.order_id == bindparam("order")
_CLAW_BACK = func.sum(_note.claw_back_minor)
_BILLED = (
    select(_bill.discount_minimum_minor, _bill.ordered_minor, func.sum(_bill.discount_minor).over().label("discount"))
    .where(_bill.order_id == bindparam("order"))
    .order_by(_bill.discount_minimum_minor == 0, _bill.sequence.desc(), _bill.share.desc())
    .limit(1)
)
_CREDITED = select(
    func.coalesce(
        func.sum(case((_note.reason_code == RETURNED, _note.merchandise_minor - _note.ours_minor), else_=0)), 0
    ),
    func.coalesce(func.sum(_note.discount_minor), 0),
    func.coalesce(_CLAW_BACK, 0),
).where(_OF_ORDER)
_BY_INVOICE = (
    select(_note.invoice_id, _CLAW_BACK)
    .where(_OF_ORDER)
    .group_by(_note.invoice_id)
    .having(_CLAW_BACK > 0)
    .order_by(_note.invoice_id)
)


def kept(session: Session, order_id: str, currency: str) -> DiscountKept:
    """How an invoiced order stands, by the threshold of its last invoice that has one.

    Only goods that came back, and for which the customer answers, count as not kept.
    """
    billed = session.execute(_BILLED, {"order": order_id}).one()
    came_back, discount, claw_back = map(int, session.execute(_CREDITED, {"order": order_id}).one())
    threshold = Threshold(Money(billed.discount_minimum_minor, currency), Money(billed.ordered_minor, currency))
    return DiscountKept(
        threshold,
        Money(came_back, currency),
        Money(int(billed.discount) - discount, currency),
        Money(claw_back, currency),
    )


def by_invoice(session: Session, order_id: str, currency: str) -> dict[str, Money]:
    """Invoice id → what its credit notes take back of the order's discount."""
    rows = session.execute(_BY_INVOICE, {"order": order_id})
    return {invoice_id: Money(int(minor), currency) for invoice_id, minor in rows}
