"""Messages of facts ↔ what orders reads of them; the only place that checks their shapes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.unknown_fields import UnknownFieldSet

from oms.facts.v1 import facts_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.clock import given_instant
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.text import optional_text
from services.orders.domain import credit_facts, facts, stock_facts
from services.orders.domain.facts import Detail, Fact
from services.orders.domain.owed_refunds import OwedRefund
from services.orders.domain.promises import MAX_LEAD_DAYS
from services.orders.domain.return_facts import ReturnInspected, ReturnReceived
from services.orders.domain.returns import InspectedUnits

UNREAD = "message"
"""Member of the document kept of a fact whose kind nobody here knows: the message as it came, in base 64."""


def fact(message: pb.Fact) -> Fact:
    """The fact as sent; one without id, source or detail is refused. A kind that is unknown here is named by its field's number."""
    if not (message.fact_id and message.source):
        raise InvalidArgument("FACT_INCOMPLETE", "a fact names its id and its source")
    for field in ("fact_id", "source", "order_id", "subject_id"):
        optional_text(getattr(message, field), field)
    return Fact(
        fact_id=message.fact_id,
        kind=message.WhichOneof("detail") or _unknown_kind(message),
        source=message.source,
        order_id=message.order_id,
        subject_id=message.subject_id,
        sequence=message.sequence,
        occurred_at=_occurred_at(message),
        detail=_detail(message),
        document=_document(message),
    )


def reread(kept: Fact) -> Fact:
    """A fact that was kept without being projected, read by what this release knows."""
    message = pb.Fact(sequence=kept.sequence)
    if UNREAD in kept.document:
        message.ParseFromString(b64decode(kept.document[UNREAD]))
    else:
        ParseDict({kept.kind: dict(kept.document)}, message, ignore_unknown_fields=True)
    return replace(kept, kind=message.WhichOneof("detail") or kept.kind, detail=_detail(message))


def _unknown_kind(message: pb.Fact) -> str:
    unknown = UnknownFieldSet(message)
    numbers = [unknown[index].field_number for index in range(len(unknown))]
    if not numbers:
        raise InvalidArgument("FACT_INCOMPLETE", f"fact {message.fact_id} has no detail")
    return f"unknown_{max(numbers)}"


def _occurred_at(message: pb.Fact) -> str:
    try:
        count = message.occurred_at.ToMicroseconds()
    except ValueError:  # no instant of any calendar
        count = -1
    given_instant(count, f"occurred_at of fact {message.fact_id}")
    return message.occurred_at.ToJsonString()


def _document(message: pb.Fact) -> dict[str, Any]:
    kind = message.WhichOneof("detail")
    if kind is None:
        return {UNREAD: b64encode(message.SerializeToString()).decode()}
    return MessageToDict(getattr(message, kind), preserving_proto_field_name=True)


def _detail(message: pb.Fact) -> Detail | None:
    """None for what orders cannot read: no kind of its, a document that is missing, or a day, instant or currency that is none."""
    kind = message.WhichOneof("detail")
    try:
        return _read(getattr(message, kind), message.sequence) if kind else None
    except InvalidArgument:
        return None


def _read(detail: object, sequence: int) -> Detail | None:
    match detail:
        case pb.StockReserved() | pb.StockAllocated() | pb.StockReleased() | pb.StockExpected():
            lines = {
                key: stock_facts.LineStanding(
                    line.allocated,
                    line.backordered,
                    _day(line.expected_on),
                    _lead(line.lead_days),
                    line.expected_reference,
                )
                for key, line in detail.lines.items()
            }
            return stock_facts.StockStanding(lines, detail.is_complete)
        case pb.SourcingAsked():
            return stock_facts.SourcingAsked(detail.why)
        case pb.ShipmentPicked() | pb.ShipmentPacked() | pb.ShipmentShipped() | pb.ShipmentDelivered():
            return facts.ShipmentChanged(_milestones(detail.lines), _shipment(detail.shipment, sequence))
        case pb.ShipmentException():
            return facts.ShipmentChanged(_milestones(detail.lines), _shipment(detail.shipment, sequence))
        case pb.ShipmentsReleased() | pb.ShipmentsCancelled():
            shipments = tuple(_shipment(one, sequence) for one in detail.shipments)
            return facts.ShipmentsChanged(_milestones(detail.lines), shipments)
        case pb.ShipmentIntercepted():
            stopped = _shipment(detail.shipment, sequence)
            return facts.ShipmentIntercepted(_milestones(detail.lines), stopped, detail.reason, detail.asked_by)
        case pb.ShipmentReversed():
            shipments = tuple(_shipment(one, sequence) for one in detail.shipments)
            return facts.ShipmentReversed(_milestones(detail.lines), shipments, detail.reason)
        case pb.RecallAnswered():
            return _recall_answered(detail, sequence)
        case pb.InvoiceIssued():
            invoiced = {key: facts.LineInvoiced(line.invoiced) for key, line in detail.lines.items()}
            consolidated = _consolidated(detail.consolidated) if detail.HasField("consolidated") else None
            return facts.InvoiceIssued(invoiced, _invoice(detail.invoice, sequence), consolidated)
        case pb.DueDateSet():
            return facts.DueDateSet(_invoice(detail.invoice, sequence))
        case pb.ReturnReceived() | pb.ReturnInspected():
            return _read_return(detail)
    return _read_money(detail, sequence)


def _read_return(detail: pb.ReturnReceived | pb.ReturnInspected) -> Detail:
    _require(detail.return_id, "the return")
    if isinstance(detail, pb.ReturnReceived):
        return ReturnReceived(
            detail.return_id, detail.number, {key: line.received for key, line in detail.lines.items()}
        )
    _require(detail.inspection_id, "the inspection of a return")
    if not all(one.quantity > 0 for one in detail.units):
        raise InvalidArgument("FACT_UNREADABLE", "inspected units are counted from one")
    units = tuple(
        InspectedUnits(one.line_id, one.sku, one.quantity, one.grade, one.disposition, one.responsible, one.note)
        for one in detail.units
    )
    return ReturnInspected(
        detail.return_id, detail.number, detail.inspection_id, detail.warehouse_id, units, detail.inspected_by
    )


def _read_money(detail: object, sequence: int) -> Detail | None:
    match detail:
        case pb.PaymentReceived():
            invoices = tuple(_invoice(one, sequence) for one in detail.invoices)
            return facts.PaymentReceived(Money(detail.amount_minor, detail.currency), invoices, detail.held_minor)
        case pb.InvoiceCredited():
            return _credited(detail, sequence)
        case pb.InvoiceWrittenOff():
            given_up = Money(detail.amount_minor, detail.currency)
            return facts.InvoiceWrittenOff(given_up, detail.reason, _invoice(detail.invoice, sequence))
        case pb.DepositInvoiced():
            _require(detail.deposit_invoice_id, "a deposit invoice")
            amount, tax = Money(detail.amount_minor, detail.currency), Money(detail.tax_minor, detail.currency)
            named = (detail.deposit_invoice_id, detail.number, detail.corrects)
            return facts.DepositInvoiced(*named, amount, tax, detail.reason)
        case pb.DepositReceived():
            return facts.DepositReceived(Money(detail.amount_minor, detail.currency), detail.held_minor)
        case pb.PaymentReversed():
            invoices = tuple(_invoice(one, sequence) for one in detail.invoices)
            taken = Money(detail.amount_minor, detail.currency)
            cause = detail.cause or facts.REVERSED
            return facts.PaymentReversed(taken, invoices, detail.held_minor, detail.reason, detail.is_uncovered, cause)
        case pb.CreditGranted():
            return credit_facts.CreditGranted(Money(detail.amount_minor, detail.currency))
        case pb.CreditRestChanged():
            return credit_facts.CreditRestChanged(Money(detail.rest_minor, detail.currency))
        case pb.CardProblem():
            return credit_facts.CardProblem(detail.kind, detail.subject_id, detail.reason)
        case pb.OwedRefund():
            amount = Money(detail.amount_minor, detail.currency)
            return OwedRefund(
                detail.refund_id, amount, detail.state, detail.reason, detail.is_escalated, detail.reference
            )
    return None


def _credited(detail: pb.InvoiceCredited, sequence: int) -> facts.InvoiceCredited:
    return facts.InvoiceCredited(
        detail.credit_note_id,
        detail.number,
        Money(detail.amount_minor, detail.currency),
        Money(detail.cash_minor, detail.currency),
        detail.reason,
        _invoice(detail.invoice, sequence),
        {key: facts.LineInvoiced(line.invoiced) for key, line in detail.lines.items()},
        detail.held_minor if detail.HasField("held_minor") else None,
    )


def _recall_answered(detail: pb.RecallAnswered, sequence: int) -> facts.RecallAnswered:
    _require(detail.change_id, "the change of a recall")
    return facts.RecallAnswered(
        _milestones(detail.lines),
        tuple(_shipment(one, sequence) for one in detail.shipments),
        detail.change_id,
        detail.is_acknowledged,
        detail.reason,
        detail.waiting_count,
    )


def _milestones(lines: Mapping[str, pb.LineMilestones]) -> dict[str, facts.LineMilestones]:
    return {
        key: facts.LineMilestones(
            line.released, line.picked, line.packed, line.shipped, line.delivered, line.intercepted
        )
        for key, line in lines.items()
    }


def _shipment(detail: pb.Shipment, sequence: int) -> facts.Shipment:
    _require(detail.shipment_id, "a shipment")
    return facts.Shipment(
        shipment_id=detail.shipment_id,
        number=detail.number,
        state=detail.state,
        warehouse_id=detail.warehouse_id,
        carrier=detail.carrier,
        tracking_number=detail.tracking_number,
        promised_on=_day(detail.promised_on),
        is_service=detail.is_service,
        shipped_at=_instant(detail.shipped_at_micros, "shipped_at"),
        delivered_at=_instant(detail.delivered_at_micros, "delivered_at"),
        lines=tuple(
            facts.ShipmentLine(line.line_id, line.sku, line.description, line.quantity) for line in detail.lines
        ),
        sequence=sequence,
        exception_at=_instant(detail.exception_at_micros, "exception_at"),
        intercepted_at=_instant(detail.intercepted_at_micros, "intercepted_at"),
        packages=tuple(
            facts.ShipmentPackage(
                sscc=package.sscc,
                tracking_number=package.tracking_number,
                weight_grams=package.weight_grams,
                delivered_at=_instant(package.delivered_at_micros, "delivered_at of a package"),
                exception_at=_instant(package.exception_at_micros, "exception_at of a package"),
                problem=package.problem,
            )
            for package in detail.packages
        ),
    )


def _invoice(detail: pb.Invoice, sequence: int) -> facts.Invoice:
    _require(detail.invoice_id, "an invoice")
    total, paid = (Money(minor, detail.currency) for minor in (detail.total_minor, detail.paid_minor))
    return facts.Invoice(
        invoice_id=detail.invoice_id,
        number=detail.number,
        shipment_id=detail.shipment_id,
        total_minor=total.minor,
        paid_minor=paid.minor,
        currency=detail.currency,
        invoiced_on=_day(detail.invoiced_on),
        due_on=_day(detail.due_on),
        status=detail.status,
        sequence=sequence,
        merchandise_minor=detail.merchandise_minor,
        discount_minor=detail.discount_minor,
        freight_minor=detail.freight_minor,
        tax_minor=detail.tax_minor,
        open_minor=detail.open_minor,
        discount_taken_minor=detail.discount_taken_minor,
        early_discount_minor=detail.early_discount_minor,
        discount_until=_day(detail.discount_until),
        credited_minor=detail.credited_minor,
        written_off_minor=detail.written_off_minor,
        installments=tuple((_day(one.due_on), one.amount_minor, one.open_minor) for one in detail.installments),
        parts=_parts(detail.tax_parts),
        reversed_parts=_parts(detail.reversed_parts),
        shipment_ids=tuple(detail.shipment_ids),
        fee_id=detail.fee_id,
        consolidated_id=detail.consolidated_id,
    )


def _consolidated(detail: pb.ConsolidatedInvoice) -> facts.ConsolidatedInvoice:
    return facts.ConsolidatedInvoice(
        detail.share,
        tuple(detail.order_numbers),
        detail.total_minor,
        _day(detail.due_on),
        detail.early_discount_minor,
        _day(detail.discount_until),
    )


def _parts(parts: Iterable[types_pb2.TaxPart]) -> tuple[facts.InvoicePart, ...]:
    return tuple(
        (one.key, one.merchandise_minor, one.discount_minor, one.freight_minor, one.tax_minor) for one in parts
    )


def _require(identity: str, what: str) -> None:
    if not identity:
        raise InvalidArgument("FACT_UNREADABLE", f"{what} is missing")


def _day(text: str) -> str:
    """The ISO date itself, or nothing."""
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError as none:
        raise InvalidArgument("FACT_UNREADABLE", f"{text[:40]!r} is no day") from none


def _lead(days: int) -> int:
    if not 0 <= days <= MAX_LEAD_DAYS:
        raise InvalidArgument("FACT_UNREADABLE", f"lead_days must be from 0 to {MAX_LEAD_DAYS}")
    return days


def _instant(count: int, what: str) -> str:
    return given_instant(count, what).isoformat() if count else ""
