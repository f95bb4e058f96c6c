"""Returns: protobuf to domain and back."""

from __future__ import annotations

from dataclasses import asdict

from oms.facts.v1 import facts_pb2
from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.clock import given_instant, micros
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.text import optional_text, text
from services.orders.domain.kept_returns import credited_before
from services.orders.domain.projection import Progress
from services.orders.domain.replacements import ADVANCE
from services.orders.domain.return_steps import NextStep
from services.orders.domain.returns import Inspection, Return, bears_fee
from services.orders.returns.advance import DONE, Done
from services.orders.returns.labels import LabelFacts
from services.orders.returns.lost import LostReturns
from services.runtime.wire import money

MAX_RETURN_IDS = 500


def document(found: Return) -> pb.ReturnDocument:
    """A return as inventory, fulfillment and billing need it; whether a fee is kept of inspected units is said of each."""
    return pb.ReturnDocument(
        return_id=found.return_id,
        number=found.number,
        order_id=found.order_id,
        order_number=found.order_number,
        lines=[
            pb.ReturnLine(
                line_id=line.line_id,
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                shipment_id=line.shipment_id,
            )
            for line in found.lines
        ],
        inspections=[_inspection(found, one) for one in found.inspections],
        fee_percent=f"{found.fee.percent:f}" if found.fee.percent else "",
        fee_of_unit=money(found.fee.of_unit) if found.fee.of_unit else None,
        arrived_in=found.arrived_in,
        received_by=found.received_by,
        replacements=[
            pb.Replacement(
                order_id=one.order_id,
                is_documented=one.is_documented,
                charged=found.charged(one) if one.is_advance and not one.is_documented else {},
            )
            for one in found.replacements
        ],
    )


def fill_exchange(document: pb.Order, progress: Progress) -> None:
    """Say of an order that replaces goods of a return without documents what of it is charged, and whether that is known."""
    if progress.exchange is not None:
        document.is_exchange_open = progress.exchange.is_open
        for line_id, units in progress.exchange.charged.items():
            document.charged[line_id] = units


def _netted_with(found: Return, one: Inspection) -> str:
    """The order with which the credit of an inspection is netted: its own, or the one in advance."""
    subject = ADVANCE if found.is_advance else one.inspection_id
    return next((each.order_id for each in found.replacements if each.is_documented and each.subject == subject), "")


def _inspection(found: Return, one: Inspection) -> pb.ReturnInspection:
    return pb.ReturnInspection(
        inspection_id=one.inspection_id,
        warehouse_id=one.warehouse_id,
        units=[
            facts_pb2.InspectedUnits(
                line_id=units.line_id,
                sku=units.sku,
                quantity=units.quantity,
                grade=units.grade,
                disposition=units.disposition,
                responsible=units.responsible,
            )
            for units in one.units
        ],
        replaced={
            line.line_id: units
            for line in found.lines
            if not line.is_documented and (units := found.replaced(one).get(line.line_id))
        },
        replacement_order_id=_netted_with(found, one),
        fee_line_ids=sorted({units.line_id for units in one.units if bears_fee(found, units)}),
        credited_before=credited_before(found, one),
    )


def label(facts: LabelFacts) -> pb.GetReturnLabelResponse:
    """What the label of a return says."""
    found = facts.found
    return pb.GetReturnLabelResponse(
        number=found.number,
        order_number=found.order_number,
        units=found.announced - found.received,
        warehouse_id=facts.warehouse_id,
        comes_from=types_pb2.Address(**asdict(facts.comes_from)),
        authorized_micros=micros(found.decided_at or found.requested_at),
        valid_until_micros=micros(found.valid_until) if found.valid_until else 0,
    )


def done(request: pb.AdvanceReturnRequest) -> Done:
    """What a workflow has done."""
    if request.done not in DONE:
        raise InvalidArgument("DONE_UNKNOWN", f"{request.done[:40]!r} is nothing that is done for a return")
    return Done(
        request.done,
        optional_text(request.inspection_id, "inspection_id"),
        tuple(request.credit_notes),
        _amount(request, "credited"),
        _amount(request, "fee"),
        {line_id: line.received for line_id, line in request.received.items()},
        given_instant(request.passed_micros, "passed_micros") if request.passed_micros else None,
        optional_text(request.reason, "reason", longest=500),
    )


def lost(request: pb.RecordLostReturnsRequest) -> LostReturns:
    """The returns that nobody carries on, at most MAX_RETURN_IDS."""
    if len(request.return_ids) > MAX_RETURN_IDS:
        raise InvalidArgument("TOO_MANY_RETURNS", f"name at most {MAX_RETURN_IDS} returns at once")
    searched_at = given_instant(request.searched_micros, "searched_micros")
    return LostReturns([text(one, "return_ids") for one in request.return_ids], request.is_all, searched_at)


def _amount(request: pb.AdvanceReturnRequest, field: str) -> Money | None:
    if not request.HasField(field):  # type: ignore[arg-type]  # one of two names
        return None
    sent = getattr(request, field)
    return Money(sent.minor_units, sent.currency)


def following(found: Return, step: NextStep) -> pb.AdvanceReturnResponse:
    """What comes next."""
    return pb.AdvanceReturnResponse(
        next=step.action,
        inspection_id=step.inspection_id,
        deadline_micros=micros(step.deadline) if step.deadline else 0,
        state=found.state,
    )
