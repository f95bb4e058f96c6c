"""Outages and sourcing again: protobuf to domain and back."""

from __future__ import annotations

from datetime import datetime

from oms.inventory.v1 import inventory_pb2, outage_pb2
from services.inventory.domain.outages import Outage, SourcingRequest
from services.inventory.domain.requests import DEFAULT_LEASE_SECONDS, Demand
from services.inventory.resourcing import Again
from services.inventory.wire import candidates, carried, hazardous, identity, weights
from services.kernel.clock import given_instant, micros
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.kernel.text import optional_text, text


def declared(request: outage_pb2.DeclareOutageRequest, now: datetime) -> Outage:
    """The outage that begins now."""
    return Outage(
        new_id("out"),
        identity(request.warehouse_id, "warehouse_id"),
        text(request.reason, "reason", 500),
        optional_text(request.declared_by, "declared_by"),
        now,
        given_instant(request.ends_at_micros, "ends_at_micros"),
    )


def outage_message(one: Outage) -> outage_pb2.Outage:
    """An outage for the wire."""
    return outage_pb2.Outage(
        outage_id=one.outage_id,
        warehouse_id=one.warehouse_id,
        reason=one.reason,
        declared_by=one.declared_by,
        began_at_micros=micros(one.began_at),
        ends_at_micros=micros(one.ends_at),
        ended_at_micros=micros(one.ended_at) if one.ended_at else 0,
        order_count=one.order_count,
    )


def request_message(one: SourcingRequest) -> inventory_pb2.SourcingRequest:
    """A request for the wire."""
    return inventory_pb2.SourcingRequest(
        sourcing_request_id=one.sourcing_request_id, cause=one.cause, warehouse_id=one.warehouse_id, why=one.why
    )


def again(request: inventory_pb2.SourceAgainRequest) -> Again:
    """The order to be planned again, and what its shipments carry."""
    demand = Demand(
        identity(request.order_id, "order_id"),
        (),
        candidates(request.costs),
        0,
        DEFAULT_LEASE_SECONDS,
        weights(request.unit_weights),
        Money(0, request.currency).currency if request.currency else "",
        customer_id=optional_text(request.customer_id, "customer_id"),
        hazardous=hazardous(request.unit_weights),
    )
    return Again(demand, carried(request.carried), request.is_to_be_repeated)
