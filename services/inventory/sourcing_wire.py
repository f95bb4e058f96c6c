"""Sourcing policies and plans: protobuf to domain and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from pydantic import TypeAdapter

from oms.inventory.v1 import inventory_pb2 as pb
from services.inventory.domain.replaying import Given, PlanOutcome, ReplayedPlan
from services.inventory.domain.sourcing import Shipment
from services.inventory.domain.sourcing_record import CandidatePlan, SourcingRecord
from services.inventory.domain.tariffs import CustomerTerms, NodeTerms, SourcingPolicy
from services.inventory.wire import MAX_COST_MINOR, MAX_WAREHOUSES, at_most, identity, within
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.money import MAX_MINOR

MAX_SPLITS = 199
_GIVEN = TypeAdapter(Given)
MAX_CUSTOMERS = 500
MAX_PLACES = 50


def policy(sent: pb.SourcingPolicy) -> SourcingPolicy:
    """A policy to be stored or tried, its warehouses by id."""
    at_most(len(sent.nodes), MAX_WAREHOUSES, "warehouses")
    nodes = tuple(sorted((_node(node) for node in sent.nodes), key=lambda node: node.warehouse_id))
    if len({node.warehouse_id for node in nodes}) < len(nodes):
        raise InvalidArgument("WAREHOUSE_TWICE", "each warehouse may come once in nodes")
    splits = within(sent.maximum_splits, 0, MAX_SPLITS, "maximum_splits") if sent.HasField("maximum_splits") else None
    return SourcingPolicy(
        _cost(sent.split_penalty_minor, "split_penalty_minor"),
        _cost(sent.late_day_minor, "late_day_minor"),
        splits,
        nodes,
        _customers(sent.customers),
    )


def _customers(sent: Sequence[pb.CustomerTerms]) -> tuple[CustomerTerms, ...]:
    at_most(len(sent), MAX_CUSTOMERS, "customers")
    found = tuple(sorted((_customer(one) for one in sent), key=lambda one: one.customer_id))
    if len({one.customer_id for one in found}) < len(found):
        raise InvalidArgument("CUSTOMER_TWICE", "each customer may come once in customers")
    return found


def _customer(sent: pb.CustomerTerms) -> CustomerTerms:
    preferred, excluded = (_places(ids) for ids in (sent.preferred_warehouse_ids, sent.excluded_warehouse_ids))
    if both := sorted({*preferred} & {*excluded}):
        raise InvalidArgument(
            "WAREHOUSE_PREFERRED_AND_EXCLUDED",
            f"{both[0]} is preferred and excluded for {sent.customer_id}: choose one",
        )
    if bool(preferred) != bool(sent.preference_minor):
        raise InvalidArgument(
            "PREFERENCE_INCOMPLETE",
            "preferred warehouses and preference_minor go together: say how much dearer they may be",
        )
    cost = _cost(sent.preference_minor, "preference_minor")
    return CustomerTerms(identity(sent.customer_id, "customer_id"), preferred, cost, excluded, sent.is_never_split)


def _places(ids: Sequence[str]) -> tuple[str, ...]:
    at_most(len(ids), MAX_PLACES, "warehouses of a customer")
    return tuple(sorted({identity(one, "warehouse_id") for one in ids}))


def _node(sent: pb.NodeTerms) -> NodeTerms:
    return NodeTerms(
        identity(sent.warehouse_id, "warehouse_id"),
        _cost(sent.order_fee_minor, "order_fee_minor"),
        _cost(sent.unit_fee_minor, "unit_fee_minor"),
        _cost(sent.avoidance_minor, "avoidance_minor"),
        sent.is_excluded,
        sent.excludes_hazardous,
    )


def _cost(minor: int, what: str) -> int:
    return within(minor, 0, MAX_COST_MINOR, what)


def policy_message(stored: SourcingPolicy) -> pb.SourcingPolicy:
    """A policy for the wire."""
    return pb.SourcingPolicy(
        split_penalty_minor=stored.split_penalty_minor,
        late_day_minor=stored.late_day_minor,
        maximum_splits=stored.maximum_splits,
        nodes=[
            pb.NodeTerms(
                warehouse_id=node.warehouse_id,
                order_fee_minor=node.order_fee_minor,
                unit_fee_minor=node.unit_fee_minor,
                avoidance_minor=node.avoidance_minor,
                is_excluded=node.is_excluded,
                excludes_hazardous=node.excludes_hazardous,
            )
            for node in stored.nodes
        ],
        customers=[
            pb.CustomerTerms(
                customer_id=one.customer_id,
                preferred_warehouse_ids=one.preferred,
                preference_minor=one.preference_minor,
                excluded_warehouse_ids=one.excluded,
                is_never_split=one.is_never_split,
            )
            for one in stored.customers
        ],
        version=stored.version,
    )


def given_document(given: Given) -> dict[str, Any]:
    """What a plan was made from, as it is kept."""
    document: dict[str, Any] = _GIVEN.dump_python(given, mode="json", exclude_defaults=True)
    return document


def given_of(document: Mapping[str, Any]) -> Given:
    """What a plan was made from, as it was kept."""
    return _GIVEN.validate_python(document)


def replayed_message(made: ReplayedPlan) -> pb.ReplayedPlan:
    """A plan that was made again."""
    return pb.ReplayedPlan(
        plan_id=made.plan_id,
        order_id=made.order_id,
        planned_at_micros=micros(made.planned_at),
        currency=made.currency,
        wanted_quantity=made.wanted,
        before=_outcome(made.before),
        after=_outcome(made.after),
    )


def _outcome(one: PlanOutcome) -> pb.PlanOutcome:
    return pb.PlanOutcome(
        quantity=one.units,
        warehouse_ids=one.warehouses,
        paid_minor=min(one.paid_minor, MAX_MINOR),
        promised_on=one.promised_on,
    )


def plan_document(made: SourcingRecord) -> dict[str, Any]:
    """A plan as it is kept."""
    plan = pb.SourcingPlan(
        currency=made.currency,
        wanted_quantity=made.wanted,
        quantity=made.served,
        bound_minor=None if made.bound_minor is None else min(made.bound_minor, MAX_MINOR),
        is_optimal=made.is_optimal,
        gap_bp=made.gap_bp,
        why=made.why,
        candidates=[_candidate(one) for one in made.candidates],
        unused=[pb.UnusedWarehouse(warehouse_id=one.warehouse_id, reason=one.reason) for one in made.unused],
        cause=made.cause,
    )
    document: dict[str, Any] = MessageToDict(plan, preserving_proto_field_name=True)
    return document


def plan_message(plan_id: str, planned_at: datetime, document: Mapping[str, Any]) -> pb.SourcingPlan:
    """A plan that was kept, for the wire."""
    plan = ParseDict(dict(document), pb.SourcingPlan(), ignore_unknown_fields=True)
    plan.plan_id, plan.planned_at_micros = plan_id, micros(planned_at)
    return plan


def _candidate(one: CandidatePlan) -> pb.SourcingCandidate:
    parts = one.solution.parts
    return pb.SourcingCandidate(
        shipments=[_shipment(each) for each in one.solution.shipments],
        quantity=one.solution.units,
        freight_minor=min(parts.freight, MAX_MINOR),
        handling_minor=min(parts.handling, MAX_MINOR),
        fees_minor=min(parts.fees, MAX_MINOR),
        splits_minor=min(parts.splits, MAX_MINOR),
        lateness_minor=min(parts.lateness, MAX_MINOR),
        avoidance_minor=min(parts.avoidance, MAX_MINOR),
        total_minor=min(parts.total, MAX_MINOR),
        promised_on=one.solution.promised_on,
        is_chosen=one.is_chosen,
        reason=one.reason,
    )


def _shipment(one: Shipment) -> pb.PlannedShipment:
    return pb.PlannedShipment(
        warehouse_id=one.way.warehouse_id,
        carrier=one.way.tariff.carrier,
        quantity=sum(one.units.values()),
        cost_minor=min(one.parts.total, MAX_MINOR),
        promised_on=one.way.tariff.promised_on,
        delay=one.way.delay,
    )
