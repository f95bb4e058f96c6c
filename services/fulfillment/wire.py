"""Protobuf ↔ domain of fulfillment: the only place that checks the shapes of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.domain import facts
from services.fulfillment.domain.address import Address
from services.fulfillment.domain.carrier_event import CarrierEvent, CarrierStatus
from services.fulfillment.domain.rates import Load, Rate, ZoneRule
from services.fulfillment.domain.recall import Demand, Recall, RecallState
from services.fulfillment.domain.release import Release, ReleaseLine
from services.fulfillment.domain.shipment import Counted, Reversal, Shipment, ShipmentLine, State
from services.fulfillment.interception_wire import intercepted_at_micros, interception_message
from services.fulfillment.package_wire import package_details, package_messages
from services.fulfillment.tracking import carriers_number
from services.kernel.bounds import MAX_LINES, MAX_PAGE_LINES
from services.kernel.clock import given_instant
from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.money import Money
from services.kernel.quantity import non_negative, positive
from services.kernel.text import optional_text, text
from services.runtime.wire import country, optional_micros, optional_money

MAX_DESCRIPTION = 500
MAX_ROWS = 10_000
MAX_TRANSIT_DAYS = 365

_STATES = {state: pb.ShipmentState.Value(f"SHIPMENT_STATE_{state.name}") for state in State}
_RECALL_STATES = {state: pb.RecallState.Value(f"RECALL_STATE_{state.name}") for state in RecallState}


def rate_table(request: pb.PutRatesRequest) -> tuple[list[Rate], list[ZoneRule]]:
    """The whole new table; each warehouse, carrier and zone once, each region once."""
    currency = Money.zero(request.currency).currency
    for rows, what in ((request.rates, "rates"), (request.zones, "zone rules")):
        _bounded(rows, what)
    rates = [_rate(each, currency) for each in request.rates]
    zones = [_zone_rule(each) for each in request.zones]
    _refuse_repeat(((rate.warehouse_id, rate.carrier, rate.zone) for rate in rates), "DUPLICATE_RATE", "rate")
    _refuse_repeat(((rule.country, rule.region) for rule in zones), "DUPLICATE_ZONE_RULE", "zone rule")
    return rates, zones


def rate_table_message(rates: Sequence[Rate], zones: Sequence[ZoneRule], version: int) -> pb.GetRatesResponse:
    """The table as it was put; NotFound while nothing is."""
    if not rates:
        raise NotFound("RATES_UNKNOWN", "no rates are stored yet: put a rate table")
    return pb.GetRatesResponse(
        currency=rates[0].base.currency,
        rates=[
            pb.Rate(
                warehouse_id=one.warehouse_id,
                carrier=one.carrier,
                zone=one.zone,
                base_minor=one.base.minor,
                per_kg_minor=one.per_kg.minor,
                per_unit_minor=one.per_unit.minor,
                transit_days=one.transit_days,
            )
            for one in rates
        ],
        zones=[pb.ZoneRule(country=rule.country, region=rule.region, zone=rule.zone) for rule in zones],
        version=version,
    )


def quote_request(request: pb.QuoteWarehousesRequest) -> tuple[Address, Load]:
    """Where to and how much; only country and region of the address matter here."""
    load = Load(non_negative(request.weight_grams, "weight_grams"), non_negative(request.unit_count, "unit_count"))
    return _address(request.ship_to, is_label=False), load


def release(request: pb.ReleaseShipmentsRequest) -> Release:
    """What is to be released. Goods need a full address; a visit alone needs none."""
    _bounded(request.lines, "lines", MAX_PAGE_LINES)
    lines = tuple(_release_line(line) for line in request.lines)
    has_goods = any(line.warehouse_id for line in lines)
    ship_to = _address(request.ship_to, is_label=True) if has_goods else _loose_address(request.ship_to)
    withheld = frozenset(text(one, "withheld_line_id") for one in request.withheld_line_ids)
    _bounded(request.withheld_line_ids, "withheld_line_ids")
    order_id, number = text(request.order_id, "order_id"), text(request.order_number, "order_number")
    return Release(order_id, number, ship_to, lines, withheld)


def kept_units(request: pb.RequestRecallRequest) -> dict[str, int]:
    """Line id → units that stay released; a line may be named once."""
    _bounded(request.lines, "lines", MAX_LINES)
    _refuse_repeat(((line.line_id,) for line in request.lines), "LINE_TWICE", "line")
    return {
        text(line.line_id, "line_id"): non_negative(line.quantity, f"quantity of line {line.line_id}")
        for line in request.lines
    }


def answer_reason(request: pb.AnswerRecallRequest) -> str:
    """Why; who refuses must say."""
    if not request.is_acknowledged and not request.reason.strip():
        raise InvalidArgument("REASON_MISSING", "a refusal needs a reason: say why the units cannot come back")
    return optional_text(request.reason, "reason", MAX_DESCRIPTION)


def shipment_id(value: str) -> str:
    """The id of a shipment."""
    return text(value, "shipment_id")


def pick_count(request: pb.PickShipmentRequest) -> list[Counted]:
    """What the picker counted; zero is a count, too."""
    _bounded(request.lines, "lines", MAX_LINES)
    return [
        Counted(
            text(line.line_id, "line_id"),
            optional_text(line.sku, "sku"),
            non_negative(line.quantity, f"quantity of line {line.line_id}"),
        )
        for line in request.lines
    ]


def carrier_event(request: pb.RecordCarrierEventRequest) -> CarrierEvent:
    """A carrier's event whose tracking number has the right check digit."""
    number = carriers_number(text(request.tracking_number, "tracking_number"))
    if request.status not in set(CarrierStatus):
        raise InvalidArgument("STATUS_UNKNOWN", f"status must be one of {', '.join(CarrierStatus)}")
    carrier, event_id = text(request.carrier, "carrier"), text(request.event_id, "event_id")
    occurred_at = given_instant(request.occurred_at_micros, "occurred_at_micros")
    return CarrierEvent(carrier, event_id, number, CarrierStatus(request.status), occurred_at)


def shipment_message(shipment: Shipment) -> pb.Shipment:
    """A shipment as it stands."""
    return pb.Shipment(
        shipment_id=shipment.shipment_id,
        number=shipment.number,
        order_id=shipment.order_id,
        order_number=shipment.order_number,
        warehouse_id=shipment.warehouse_id,
        ship_to=types.Address(**asdict(shipment.ship_to)),
        state=_STATES[shipment.state],
        lines=[_line_message(line) for line in shipment.lines],
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        freight_cost=optional_money(shipment.freight_cost),
        promised_on=shipment.promised_on.isoformat() if shipment.promised_on else "",
        is_service=shipment.is_service,
        shipped_at_micros=optional_micros(shipment.shipped_at),
        delivered_at_micros=optional_micros(shipment.delivered_at),
        exception_at_micros=optional_micros(shipment.exception_at),
        recall_requested=bool(shipment.recall_id),
        reversal=_reversal_message(shipment.reversal) if shipment.reversal else None,
        replaces=shipment.replaces,
        interception=interception_message(shipment.interception),
        packages=package_messages(shipment.packages),
        packed_at_micros=optional_micros(shipment.packed_at),
    )


def _reversal_message(reversal: Reversal) -> pb.ShipmentReversal:
    return pb.ShipmentReversal(
        shipped_at_micros=optional_micros(reversal.shipped_at),
        reversed_at_micros=optional_micros(reversal.reversed_at),
        reversed_by=reversal.reversed_by,
        reason=reversal.reason,
        replaced_by=reversal.replaced_by,
    )


def recall_response(
    recall: Recall | None, wanted: Demand, carried: Mapping[str, int] | None = None
) -> pb.RequestRecallResponse:
    """What came of asking units back; `carried` is line id → units that shipments carry."""
    if recall is not None:
        return pb.RequestRecallResponse(state=pb.RECALL_STATE_PENDING, recall_id=recall.recall_id)
    state = pb.RECALL_STATE_REFUSED if wanted.reason else pb.RECALL_STATE_NOTHING_TO_RECALL
    return pb.RequestRecallResponse(
        state=state,
        reason=wanted.reason,
        message=wanted.message,
        carried=[types.LineQuantity(line_id=line_id, quantity=units) for line_id, units in (carried or {}).items()],
    )


def recall_message(recall: Recall, parcels: Mapping[str, Shipment]) -> pb.Recall:
    """A recall as it stands; `parcels` is shipment id → shipment."""
    return pb.Recall(
        recall_id=recall.recall_id,
        order_id=recall.order_id,
        order_number=recall.order_number,
        change_id=recall.change_id,
        state=_RECALL_STATES[recall.state],
        reason=recall.reason,
        requested_at_micros=optional_micros(recall.requested_at),
        answered_at_micros=optional_micros(recall.answered_at),
        lines=[
            pb.RecallLine(
                shipment_id=line.shipment_id,
                shipment_number=parcels[line.shipment_id].number,
                warehouse_id=parcels[line.shipment_id].warehouse_id,
                line_id=line.line_id,
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
            )
            for line in recall.lines
        ],
    )


def _rate(rate: pb.Rate, currency: str) -> Rate:
    if not 0 <= rate.transit_days <= MAX_TRANSIT_DAYS:
        raise InvalidArgument("TRANSIT_OUT_OF_RANGE", f"transit_days must be from 0 to {MAX_TRANSIT_DAYS}")
    return Rate(
        text(rate.warehouse_id, "warehouse_id of a rate"),
        text(rate.carrier, "carrier of a rate"),
        text(rate.zone, "zone of a rate"),
        _charge(rate.base_minor, "base_minor", currency),
        _charge(rate.per_kg_minor, "per_kg_minor", currency),
        _charge(rate.per_unit_minor, "per_unit_minor", currency),
        rate.transit_days,
    )


def _charge(minor: int, what: str, currency: str) -> Money:
    if minor < 0:
        raise InvalidArgument("RATE_NEGATIVE", f"{what} must not be negative")
    return Money(minor, currency)


def _zone_rule(rule: pb.ZoneRule) -> ZoneRule:
    return ZoneRule(country(rule.country), text(rule.region, 'region (or "*")'), text(rule.zone, "zone of a zone rule"))


def _release_line(line: pb.ReleaseLine) -> ReleaseLine:
    return ReleaseLine(
        text(line.line_id, "line_id"),
        text(line.sku, "sku"),
        optional_text(line.description, "description", MAX_DESCRIPTION),
        optional_text(line.warehouse_id, "warehouse_id"),
        positive(line.quantity, f"quantity of line {line.line_id}"),
        non_negative(line.unit_weight_grams, "unit_weight_grams"),
    )


def _address(address: types.Address, *, is_label: bool) -> Address:
    """An address good enough for a label, or for a zone only."""
    country(address.country)
    if is_label:
        for what in ("name", "street", "city", "postal_code"):
            text(getattr(address, what), f"ship_to.{what}")
    return _loose_address(address)


def _loose_address(address: types.Address) -> Address:
    fields = ("name", "street", "city", "region", "postal_code", "country")
    return Address(*(optional_text(getattr(address, what), f"ship_to.{what}") for what in fields))


def _bounded(rows: Sequence[object], what: str, most: int = MAX_ROWS) -> None:
    if len(rows) > most:
        raise InvalidArgument("TOO_MANY_ROWS", f"at most {most} {what} at once")


def _refuse_repeat(keys: Iterable[tuple[str, ...]], reason: str, what: str) -> None:
    seen: set[tuple[str, ...]] = set()
    for key in keys:
        if key in seen:
            raise InvalidArgument(reason, f"the {what} for {' / '.join(key)} is there twice: keep one")
        seen.add(key)


def _line_message(line: ShipmentLine) -> pb.ShipmentLine:
    return pb.ShipmentLine(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        picked_quantity=line.picked_quantity,
    )


_MilestoneFact = (
    facts_pb2.ShipmentPicked
    | facts_pb2.ShipmentPacked
    | facts_pb2.ShipmentShipped
    | facts_pb2.ShipmentDelivered
    | facts_pb2.ShipmentException
)
_ONE: Mapping[str, type[_MilestoneFact]] = {
    facts.milestone_kind(State.PICKED): facts_pb2.ShipmentPicked,
    facts.milestone_kind(State.PACKED): facts_pb2.ShipmentPacked,
    facts.milestone_kind(State.SHIPPED): facts_pb2.ShipmentShipped,
    facts.milestone_kind(State.DELIVERED): facts_pb2.ShipmentDelivered,
    facts.EXCEPTION: facts_pb2.ShipmentException,
}
_SEVERAL: Mapping[str, type[facts_pb2.ShipmentsReleased | facts_pb2.ShipmentsCancelled]] = {
    facts.RELEASED: facts_pb2.ShipmentsReleased,
    facts.CANCELLED: facts_pb2.ShipmentsCancelled,
}


def shipment_fact(kind: str, detail: facts.ShipmentChanged) -> _MilestoneFact:
    """A milestone of one shipment, or its trouble, as a fact of that kind."""
    return _ONE[kind](lines=_milestones(detail.lines), shipment=_shipment_detail(detail.shipment))


def shipments_fact(
    kind: str, detail: facts.ShipmentsChanged
) -> facts_pb2.ShipmentsReleased | facts_pb2.ShipmentsCancelled:
    """A release or a cancellation as a fact of that kind."""
    return _SEVERAL[kind](lines=_milestones(detail.lines), shipments=map(_shipment_detail, detail.shipments))


def reversed_fact(detail: facts.ShipmentsChanged, reason: str) -> facts_pb2.ShipmentReversed:
    """A ship confirm that was reversed, as a fact."""
    shipments = map(_shipment_detail, detail.shipments)
    return facts_pb2.ShipmentReversed(lines=_milestones(detail.lines), shipments=shipments, reason=reason)


def intercepted_fact(detail: facts.ShipmentChanged) -> facts_pb2.ShipmentIntercepted:
    """A parcel that its carrier has stopped on the way, as a fact."""
    asked = detail.shipment.interception
    return facts_pb2.ShipmentIntercepted(
        lines=_milestones(detail.lines),
        shipment=_shipment_detail(detail.shipment),
        reason=asked.reason if asked else "",
        asked_by=asked.asked_by if asked else "",
    )


def delivered_fact(shipment: Shipment) -> facts_pb2.GoodsDelivered:
    """The arrival of a shipment, as billing reads it."""
    return facts_pb2.GoodsDelivered(
        shipment_id=shipment.shipment_id, delivered_at_micros=optional_micros(shipment.delivered_at)
    )


def recall_fact(detail: facts.RecallAnswered) -> facts_pb2.RecallAnswered:
    """The answer to a recall as a fact."""
    return facts_pb2.RecallAnswered(
        lines=_milestones(detail.lines),
        shipments=map(_shipment_detail, detail.shipments),
        recall_id=detail.recall.recall_id,
        change_id=detail.recall.change_id,
        is_acknowledged=detail.is_acknowledged,
        reason=detail.recall.reason,
        waiting_count=detail.waiting,
    )


def _milestones(lines: facts.Counts) -> dict[str, facts_pb2.LineMilestones]:
    return {line_id: facts_pb2.LineMilestones(**counts) for line_id, counts in lines.items()}


def _shipment_detail(shipment: Shipment) -> facts_pb2.Shipment:
    return facts_pb2.Shipment(
        shipment_id=shipment.shipment_id,
        number=shipment.number,
        state=shipment.state.value,
        warehouse_id=shipment.warehouse_id,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        promised_on=shipment.promised_on.isoformat() if shipment.promised_on else "",
        is_service=shipment.is_service,
        shipped_at_micros=optional_micros(shipment.shipped_at),
        delivered_at_micros=optional_micros(shipment.delivered_at),
        exception_at_micros=optional_micros(shipment.exception_at),
        intercepted_at_micros=intercepted_at_micros(shipment),
        packages=package_details(shipment),
        lines=[
            facts_pb2.ShipmentLine(
                line_id=line.line_id, sku=line.sku, description=line.description, quantity=line.quantity
            )
            for line in shipment.lines
        ],
    )
