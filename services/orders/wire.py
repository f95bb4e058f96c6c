"""protobuf ↔ domain for orders; the only place that checks the shapes of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.kernel.clock import EPOCH, given_instant, micros
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import non_negative, positive
from services.kernel.text import optional_text, text
from services.orders.approvals.clearance import Cleared
from services.orders.changes.apply import Applied
from services.orders.domain import clearance
from services.orders.domain.facts import Fact
from services.orders.domain.mails import Promise
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Address, Line, Order, Settlement
from services.orders.domain.projection import LineQuantities, Progress, quantities
from services.orders.domain.promises import MAX_LEAD_DAYS
from services.orders.lifecycle import fact_wire
from services.orders.lifecycle.record_milestone import Milestone, Recorded
from services.orders.lifecycle.resume import Halted
from services.orders.lifecycle.validate import Verdict
from services.orders.order.charged_fees import ChargedFee
from services.orders.policies.engine import Credit
from services.runtime.wire import money, tax_part

MAX_ORDER_IDS = 500
_OUTCOMES = {
    "cleared": pb.VALIDATION_OUTCOME_CLEARED,
    "held": pb.VALIDATION_OUTCOME_HELD,
    "rejected": pb.VALIDATION_OUTCOME_REJECTED,
}


def order_id(given: str) -> str:
    """An order id that is there."""
    return text(given, "order_id")


def order_message(
    order: Order, lines: dict[str, LineQuantities], payer: Customer | None = None, customer_tier: str = ""
) -> pb.Order:
    """The order as a document; a line's quantity is what was ordered less what was cancelled.

    A line that was cancelled whole while the order goes on is not in it: nobody has anything to do with it.
    """
    plain = (
        "order_id",
        "number",
        "version",
        "customer_id",
        "customer_name",
        "bill_to_id",
        "po_number",
        "channel",
        "currency",
        "payment_method",
        "net_days",
        "calendar",
        "invoicing",
        "is_ship_complete",
        "phase",
    )
    return pb.Order(
        **{name: getattr(order, name) for name in plain},
        bill_to_name=payer.name if payer and order.bill_to_id else "",
        billing_address=_address(payer.billing_address) if payer and payer.billing_address else None,
        ship_to=_address(order.ship_to),
        placed_at_micros=micros(order.placed_at),
        lines=[
            _line_message(line, lines[line.line_id].wanted, order.tax_key(line))
            for line in order.lines
            if line.quantity
        ],
        merchandise=money(order.totals.merchandise),
        discount=money(order.totals.discount),
        freight=money(order.totals.freight),
        tax=money(order.totals.tax),
        total=money(order.totals.total),
        tax_rate=f"{order.tax_rate:f}",
        terms=order.payment_terms.text,
        deposit=money(order.deposit) if order.deposit_terms else None,
        settlement=_settlement_message(order.settlement) if order.settlement else None,
        tax_parts=[tax_part(part) for part in order.totals.parts],
        tax_on=order.taxation.tax_on.isoformat() if order.taxation.tax_on else "",
        tax_exemption=order.taxation.exemption,
        customer_tax_id=order.customer_tax_id,
        is_tax_pending=order.taxation.is_pending,
        requested_on=order.requested_on.isoformat() if order.requested_on else "",
        customer_tier=customer_tier,
        discount_minimum=money(order.discount_minimum) if order.discount_minimum and order.claws_back else None,
    )


def _settlement_message(settlement: Settlement) -> pb.Settlement:
    fees = money(settlement.fees) if settlement.fees is not None else None
    return pb.Settlement(reference=settlement.reference, is_tax_remitted=settlement.tax is not None, fees=fees)


def _address(of: Address) -> types.Address:
    return types.Address(**asdict(of))


def _line_message(line: Line, quantity: int, tax_key: str) -> pb.OrderLine:
    return pb.OrderLine(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        kind=line.kind,
        quantity=quantity,
        unit_price=line.unit_price.text,
        extended=money(line.extended),
        unit_weight_grams=line.unit_weight_grams,
        tax_key=tax_key,
        is_hazardous=line.is_hazardous,
        ordered=line.quantity,
    )


def credit(request: pb.ValidateOrderRequest | pb.ApplyChangeRequest) -> Credit:
    """How billing saw the customer's credit; a request without it is refused, because silence is not credit."""
    if not request.HasField("credit"):
        raise InvalidArgument("CREDIT_MISSING", "say how the customer's credit stands: ask billing first")
    credit = request.credit
    return Credit(
        credit.is_granted, credit.exposure.minor_units, credit.limit.minor_units, optional_text(credit.card, "card")
    )


def invoiced(request: pb.ApplyChangeRequest) -> dict[str, int]:
    """Line id → units that billing has invoiced, of an order that it invoices by policy or by hand."""
    return {text(line.line_id, "line_id of a line"): line.quantity for line in request.invoiced}


_CLEARANCES = {
    clearance.WAITING: pb.CLEARANCE_STATE_WAITING,
    clearance.CLEARED: pb.CLEARANCE_STATE_CLEARED,
    clearance.REJECTED: pb.CLEARANCE_STATE_REJECTED,
    clearance.EXPIRED: pb.CLEARANCE_STATE_EXPIRED,
    clearance.ENDED: pb.CLEARANCE_STATE_ENDED,
}


def clearance_message(found: clearance.Clearance) -> pb.Clearance:
    """What stands between an order and its warehouses."""
    message = pb.Clearance(
        state=_CLEARANCES[found.state],
        change_id=found.change_id,
        waiting_for=found.waiting_for,
        withholding_change_id=found.withholding_change_id,
    )
    if found.deadline is not None:
        message.deadline_micros = micros(found.deadline.at)
        message.deadline = found.deadline.what
        message.subject_id = found.deadline.subject_id
        message.deadline_about = found.deadline.about
    return message


def cleared_message(found: Cleared) -> pb.GetClearanceResponse:
    """The clearance with what only the workflow asks."""
    message = clearance_message(found.clearance)
    message.cancellation_id = found.cancellation_id
    return pb.GetClearanceResponse(
        clearance=message,
        phase=found.phase,
        is_accepted=found.is_accepted,
        was_held=found.was_held,
        unpaid_hold_id=found.unpaid_hold_id,
        is_money_let_go=found.is_money_let_go,
        keeps_cash=found.keeps_cash,
        fee=_fee_message(found.fee),
        is_fee_due=found.is_fee_due,
    )


def carried_units(request: pb.KeepUnitsRequest) -> dict[str, int]:
    """Line id → units that shipments carry."""
    return {line.line_id: non_negative(line.quantity, f"quantity of line {line.line_id}") for line in request.carried}


def invoice_count(request: pb.ApplyChangeRequest) -> int | None:
    """How many invoices billing has posted; None when it was not asked."""
    if not request.HasField("invoice_count"):
        return None
    return non_negative(request.invoice_count, "invoice_count")


def applied_message(applied: Applied) -> pb.ApplyChangeResponse:
    """The order after a change."""
    return pb.ApplyChangeResponse(
        is_applied=applied.is_applied,
        reason=applied.reason,
        version=applied.version,
        total=money(applied.total),
        is_ship_complete=applied.is_ship_complete,
        clearance=clearance_message(applied.clearance),
        frees_cash=applied.frees_cash,
        fee=_fee_message(applied.fee),
        keeps_cash=applied.keeps_cash,
    )


def _fee_message(fee: ChargedFee | None) -> pb.Fee | None:
    """The fee with the order's document as billing charges it."""
    if fee is None:
        return None
    return pb.Fee(fee_id=fee.fee_id, order=order_message(fee.order, quantities(fee.order, Progress()), fee.payer))


def verdict_message(verdict: Verdict) -> pb.ValidateOrderResponse:
    """What validation decided."""
    return pb.ValidateOrderResponse(
        outcome=_OUTCOMES[verdict.outcome],
        reasons=verdict.reasons,
        hold_count=len(verdict.evaluated.holds),
        clearance=clearance_message(verdict.clearance),
    )


def milestone(request: pb.RecordOrderRequest) -> Milestone:
    """The milestone with its promises."""
    promises = tuple(map(_promise, request.promises))
    return Milestone(request.milestone, request.version, request.waiting_for, request.subject_id, promises)


def recorded_message(recorded: Recorded) -> pb.RecordOrderResponse:
    """Where the order stands after the milestone."""
    return pb.RecordOrderResponse(
        status=recorded.status,
        is_complete=recorded.is_complete,
        is_invoiced_at_order=recorded.is_invoiced_at_order,
        fee=_fee_message(recorded.fee),
        frees_money=recorded.frees_money,
    )


def facts(request: pb.RecordFactsRequest) -> list[Fact]:
    """The facts as sent; one without id, kind or source is refused."""
    return [fact_wire.fact(message) for message in request.facts]


def liveness(request: pb.CheckLivenessRequest) -> tuple[Sequence[str], Sequence[str]]:
    """The asked ids and the asked numbers, at most MAX_ORDER_IDS of each."""
    if max(len(request.order_ids), len(request.order_numbers)) > MAX_ORDER_IDS:
        raise InvalidArgument("TOO_MANY_ORDERS", f"ask for at most {MAX_ORDER_IDS} orders at once")
    numbers = [text(asked, "order_numbers") for asked in request.order_numbers]
    return [order_id(asked) for asked in request.order_ids], numbers


def halted(request: pb.RecordHaltedRequest) -> Halted:
    """The orders that nobody carries on, at most MAX_ORDER_IDS of each kind; a search without its instant was before all else."""
    if max(len(request.lost_order_ids), len(request.failing_order_ids)) > MAX_ORDER_IDS:
        raise InvalidArgument("TOO_MANY_ORDERS", f"name at most {MAX_ORDER_IDS} orders of a kind at once")
    lost, failing = ([order_id(one) for one in named] for named in (request.lost_order_ids, request.failing_order_ids))
    searched = request.searched_micros
    searched_at = given_instant(searched, "searched_micros") if searched else EPOCH
    return Halted(lost, failing, request.is_all, searched_at)


def _promise(line: pb.LinePromise) -> Promise:
    quantity = positive(line.quantity, "the quantity promised")
    if not line.is_waiting:
        return Promise(line.line_id, quantity, _day(line.promised_on, "promised_on"))
    if not 0 <= line.lead_days <= MAX_LEAD_DAYS:
        raise InvalidArgument("NUMBER_OUT_OF_RANGE", f"lead_days must be from 0 to {MAX_LEAD_DAYS}")
    expected_on = _day(line.expected_on, "expected_on")
    reference = optional_text(line.expected_reference, "expected_reference")
    return Promise(line.line_id, quantity, "", True, expected_on, line.lead_days, reference)


def _day(value: str, what: str) -> str:
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError:
        raise InvalidArgument("DATE_MALFORMED", f"{what} must be a date such as 2026-03-01") from None
