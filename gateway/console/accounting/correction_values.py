"""Corrections as pages show them: the one of a payment or an invoice that waits, and the last that was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.console.accounting.values import moment
from gateway.console.visitor import Visitor
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.clock import from_micros
from services.kernel.money import Money

_MOST = 500


@dataclass(frozen=True, slots=True)
class CorrectionShown:
    """A correction as pages show it."""

    correction_id: str
    payment_id: str
    kind: str
    amount: Money
    reason: str
    asked_by: str
    asked_at: datetime
    state: str
    decided_by: str
    note: str
    decided_at: datetime | None = None
    invoice_id: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has decided it yet."""
        return self.state == "waiting"

    @property
    def what(self) -> str:
        """What is corrected how, in words."""
        return self.kind.replace("_", "-" if self.kind == "write_off" else " ")

    @classmethod
    def of(cls, row: pb.PaymentCorrection) -> CorrectionShown:
        """From billing's message."""
        return cls(
            row.correction_id,
            row.payment_id,
            row.kind,
            Money(row.amount.minor_units, row.amount.currency),
            row.reason,
            row.asked_by,
            from_micros(row.asked_at_micros),
            row.state,
            row.decided_by,
            row.note,
            moment(row.decided_at_micros),
            row.invoice_id,
        )


def waiting_of(who: Visitor, payment_id: str) -> CorrectionShown | None:
    """The correction of a payment that waits for a second person."""
    wanted = pb.ListPaymentCorrectionsRequest(state="waiting", payment_id=payment_id, limit=1)
    found = who.deps.billing.ListPaymentCorrections(wanted).corrections
    return CorrectionShown.of(found[0]) if found else None


def decided_of(who: Visitor, payment_id: str) -> CorrectionShown | None:
    """The latest correction of a payment that a second person decided, among its first 500."""
    wanted = pb.ListPaymentCorrectionsRequest(payment_id=payment_id, limit=_MOST)
    found = [CorrectionShown.of(row) for row in who.deps.billing.ListPaymentCorrections(wanted).corrections]
    return next((one for one in reversed(found) if not one.is_waiting), None)


def waiting_of_invoice(who: Visitor, invoice_id: str) -> CorrectionShown | None:
    """The correction of an invoice that waits for a second person."""
    wanted = pb.ListPaymentCorrectionsRequest(state="waiting", invoice_id=invoice_id, limit=1)
    found = who.deps.billing.ListPaymentCorrections(wanted).corrections
    return CorrectionShown.of(found[0]) if found else None
