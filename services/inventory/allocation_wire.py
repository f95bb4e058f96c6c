"""Allocation policies, queues and what-ifs: protobuf to domain and back."""

from __future__ import annotations

from collections.abc import Iterable

from oms.inventory.v1 import allocation_pb2 as pb
from oms.inventory.v1 import inventory_pb2
from services.inventory.domain.allocation_policy import CLASSES, GAIN, OF_TIERS, AllocationPolicy, Rank, TierTerms
from services.inventory.domain.backorders import Fill, Frozen
from services.inventory.store.backorder_pages import Queued
from services.inventory.what_if import WhatIf
from services.inventory.wire import at_most, identity, within
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument

MAX_TIERS = 50
MAX_FREEZE_DAYS = 366
MAX_OUTLOOKS = 500


def policy(request: pb.PutAllocationPolicyRequest) -> AllocationPolicy:
    """The policy to be stored."""
    sent = request.policy
    at_most(len(sent.tiers), MAX_TIERS, "tiers")
    tiers = tuple(_tier(one) for one in sent.tiers)
    if len({one.tier for one in tiers}) < len(tiers):
        raise InvalidArgument("TIER_TWICE", "each tier may come once in tiers: the first place is its own")
    days = within(sent.freeze_days, 0, MAX_FREEZE_DAYS, "freeze_days") if sent.HasField("freeze_days") else None
    return AllocationPolicy(tiers, _class(sent.usual_class or GAIN), sent.is_fair_share, days)


def _tier(sent: pb.TierTerms) -> TierTerms:
    if sent.delivery not in OF_TIERS:
        raise InvalidArgument(
            "DELIVERY",
            f"delivery must be one of {', '.join(OF_TIERS)}: that an order ships complete is said with the order",
        )
    return TierTerms(identity(sent.tier, "tier"), _class(sent.allocation_class), sent.delivery, sent.is_manual)


def _class(name: str) -> str:
    if name not in CLASSES:
        raise InvalidArgument("ALLOCATION_CLASS", f"{name} has no rule: choose one of {', '.join(CLASSES)}")
    return name


def policy_message(stored: AllocationPolicy) -> pb.AllocationPolicy:
    """A policy for the wire."""
    return pb.AllocationPolicy(
        tiers=[
            pb.TierTerms(
                tier=one.tier, allocation_class=one.allocation_class, delivery=one.delivery, is_manual=one.is_manual
            )
            for one in stored.tiers
        ],
        usual_class=stored.usual_class,
        is_fair_share=stored.is_fair_share,
        freeze_days=stored.freeze_days,
        version=stored.version,
    )


def queue(rows: Iterable[Queued]) -> list[inventory_pb2.Backorder]:
    """Places in queues for the wire."""
    return [_backorder(one) for one in rows]


def _backorder(queued: Queued) -> inventory_pb2.Backorder:
    one, supply = queued.waiting, queued.supply
    rank = Rank.of(one.place.priority)
    cheapest = sorted(one.candidates, key=lambda place: (place.cost_minor, place.warehouse_id))
    return inventory_pb2.Backorder(
        backorder_id=one.backorder_id,
        order_id=one.order_id,
        line_id=one.line_id,
        sku=one.sku,
        quantity=one.quantity,
        placed_at_micros=one.placed_at_micros,
        expected_on=supply.expected_on if supply else "",
        expected_reference=supply.reference if supply else "",
        lead_days=one.lead_days_from(supply.warehouse_id) if supply else 0,
        allocation_class=rank.allocation_class,
        is_expedited=rank.is_expedited,
        customer_tier=queued.customer_tier,
        tier_rank=rank.tier_rank + 1,
        wanted_on=rank.wanted_on,
        delivery=one.place.delivery,
        is_manual=one.place.is_manual,
        waiting_since_micros=micros(queued.since) if queued.since else 0,
        warehouse_ids=[place.warehouse_id for place in cheapest],
        position=queued.position,
        before_quantity=queued.before_quantity,
    )


def what_if_message(found: WhatIf) -> pb.AskWhatIfResponse:
    """What goods would come to, for the wire."""
    return pb.AskWhatIfResponse(
        fills=[
            pb.WhatIfFill(
                backorder_id=one.waiting.backorder_id,
                order_id=one.waiting.order_id,
                line_id=one.waiting.line_id,
                waiting_quantity=one.waiting.quantity,
                quantity=one.quantity,
                expected_on=one.expected_on,
                then_expected_on=one.then_expected_on,
            )
            for one in found.outlooks[:MAX_OUTLOOKS]
        ],
        filled_quantity=sum(one.quantity for one in found.fills),
        left_quantity=found.left_quantity,
        still_waiting_quantity=found.still_waiting_quantity,
        losses=[_loss(one, one.given_up) for one in found.fills if one.given_up],
        is_open=found.is_open,
    )


def _loss(one: Fill, given_up: Frozen) -> pb.WhatIfLoss:
    loser = given_up.backorder
    return pb.WhatIfLoss(
        order_id=loser.order_id, line_id=loser.line_id, quantity=one.quantity, to_order_id=one.backorder.order_id
    )
