"""Protobuf to domain for deliveries: the shape of what fulfillment tells of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from oms.facts.v1 import facts_pb2
from services.billing.wire import MAX_FACTS
from services.kernel.clock import business_day, given_instant
from services.kernel.errors import InvalidArgument
from services.kernel.text import text


@dataclass(frozen=True, slots=True)
class Delivered:
    """A shipment that arrived, and the company's business day on which it did."""

    fact_id: str
    shipment_id: str
    delivered_on: date


def deliveries(facts: Iterable[facts_pb2.Fact], time_zone: str) -> list[Delivered]:
    """What arrived, sorted by shipment so that two deliveries of facts never wait for each other in a circle."""
    arrived = [_delivered(fact, time_zone) for fact in facts]
    if len(arrived) > MAX_FACTS:
        raise InvalidArgument("FACTS_TOO_MANY", f"send at most {MAX_FACTS} facts at once")
    return sorted(arrived, key=lambda one: one.shipment_id)


def _delivered(fact: facts_pb2.Fact, time_zone: str) -> Delivered:
    fact_id = text(fact.fact_id, "fact_id")
    if fact.WhichOneof("detail") != "goods_delivered":
        raise InvalidArgument("DELIVERY_KIND_UNKNOWN", f"fact {fact_id} is no delivery of goods")
    detail = fact.goods_delivered
    at = given_instant(detail.delivered_at_micros, f"delivered_at_micros of fact {fact_id}")
    return Delivered(fact_id, text(detail.shipment_id, f"shipment_id of fact {fact_id}"), business_day(at, time_zone))
