"""Facts of inventory as protobuf: where an order stands, and movements of stock."""

from __future__ import annotations

from oms.facts.v1 import facts_pb2
from services.inventory.domain import facts
from services.inventory.domain.facts import StockChange, StockStanding
from services.inventory.domain.outages import SourcingRequest

Standing = facts_pb2.StockReserved | facts_pb2.StockAllocated | facts_pb2.StockReleased | facts_pb2.StockExpected
MovementFact = (
    facts_pb2.StockReceived
    | facts_pb2.StockIssued
    | facts_pb2.StockAdjusted
    | facts_pb2.StockIssueReversed
    | facts_pb2.StockReturned
    | facts_pb2.StockScrapped
    | facts_pb2.StockQuarantined
    | facts_pb2.DamageQuarantined
    | facts_pb2.StockReturnedToVendor
    | facts_pb2.QuarantineReleased
    | facts_pb2.QuarantineScrapped
    | facts_pb2.QuarantineReturnedToVendor
)
_STANDINGS: dict[str, type[Standing]] = {
    facts.RESERVED: facts_pb2.StockReserved,
    facts.ALLOCATED: facts_pb2.StockAllocated,
    facts.RELEASED: facts_pb2.StockReleased,
    facts.EXPECTED: facts_pb2.StockExpected,
}
_MOVEMENTS: dict[str, type[MovementFact]] = {
    facts.RECEIVED: facts_pb2.StockReceived,
    facts.ISSUED: facts_pb2.StockIssued,
    facts.ADJUSTED: facts_pb2.StockAdjusted,
    facts.ISSUE_REVERSED: facts_pb2.StockIssueReversed,
    facts.RETURNED: facts_pb2.StockReturned,
    facts.SCRAPPED: facts_pb2.StockScrapped,
    facts.QUARANTINED: facts_pb2.StockQuarantined,
    facts.DAMAGED: facts_pb2.DamageQuarantined,
    facts.TO_VENDOR: facts_pb2.StockReturnedToVendor,
    facts.QUARANTINE_RELEASED: facts_pb2.QuarantineReleased,
    facts.QUARANTINE_SCRAPPED: facts_pb2.QuarantineScrapped,
    facts.QUARANTINE_TO_VENDOR: facts_pb2.QuarantineReturnedToVendor,
}


def standing_fact(kind: str, standing: StockStanding) -> Standing:
    """Where an order stands, as a fact of one of the kinds for orders."""
    lines = {
        line.line_id: facts_pb2.LineStanding(
            allocated=line.allocated,
            backordered=line.backordered,
            expected_on=line.expected_on,
            lead_days=line.lead_days,
            expected_reference=line.expected_reference,
        )
        for line in standing.lines
    }
    return _STANDINGS[kind](lines=lines, is_complete=standing.is_complete)


def sourcing_fact(asked: SourcingRequest) -> facts_pb2.SourcingAsked:
    """That an order is to be sourced again, as a fact for orders."""
    return facts_pb2.SourcingAsked(cause=asked.cause, warehouse_id=asked.warehouse_id, why=asked.why)


def movement_fact(kind: str, change: StockChange) -> MovementFact:
    """A movement of stock, as a fact of one of the kinds for billing."""
    return _MOVEMENTS[kind](
        warehouse_id=change.warehouse_id,
        sku=change.sku,
        quantity=change.quantity,
        value_minor=change.value.minor,
        currency=change.value.currency,
    )
