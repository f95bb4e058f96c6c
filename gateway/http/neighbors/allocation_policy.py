"""The allocation policy: who gets goods first when there are too few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.neighbors.backorders import AllocationClass
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, StoredVersion, changed_whole, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Identity, Input, Switch, example
from oms.inventory.v1 import allocation_pb2 as pb

router = APIRouter(tags=["master data"])

Delivery = Literal["partial", "line_complete"]
FreezeDays = Annotated[int, Field(strict=True, ge=0, le=366)]


class TierTermsInput(Input):
    """What customers of one tier get."""

    tier: Identity = Field(description="The word that customers have as their tier.", examples=["gold"])
    allocation_class: AllocationClass = Field(
        default="gain",
        description="Classes are served in this order. win takes from redistribute, fill and lose what their orders hold while they wait "
        "for the rest of their goods; redistribute takes so from those behind it in redistribute; gain and improve keep what they "
        "have. Nothing is taken of what is with a warehouse.",
    )
    delivery: Delivery = Field(
        default="partial", description="line_complete: a line gets all that it waits for at once, or nothing."
    )
    is_manual: Switch = Field(default=False, description="What waits is filled once somebody has released it.")


class AllocationPolicyInput(Input):
    """The whole allocation policy; it replaces the one before."""

    tiers: Annotated[list[TierTermsInput], Field(max_length=50)] = Field(
        default=[], description="Each tier once, those that come first before the others; other tiers come behind them."
    )
    usual_class: AllocationClass = Field(default="gain", description="The class of customers of other tiers.")
    is_fair_share: Switch = Field(
        default=False,
        description="Among backorders of the same class, urgency and tier too few units are shared in proportion, at most 200 of a SKU at "
        "once, not given to the first.",
    )
    freeze_days: FreezeDays | None = Field(
        default=None,
        description="Days for which an order that ships complete keeps what it holds while it waits for the rest; then it goes to others "
        "who wait for it. Null is any number.",
    )
    version: SeenVersion = None

    model_config = example(
        tiers=[{"tier": "gold", "allocation_class": "win", "delivery": "line_complete"}, {"tier": "silver"}],
        usual_class="gain",
        freeze_days=14,
    )


if TYPE_CHECKING:
    AllocationPolicyPatch = Input
else:
    AllocationPolicyPatch = partial("AllocationPolicyPatch", AllocationPolicyInput, (), freeze_days=7)


class TierTerms(BaseModel):
    """What customers of one tier get."""

    tier: str
    allocation_class: AllocationClass
    delivery: Delivery
    is_manual: bool


class AllocationPolicy(BaseModel):
    """Who gets goods first."""

    tiers: list[TierTerms]
    usual_class: AllocationClass
    is_fair_share: bool
    freeze_days: int | None
    version: StoredVersion


@router.get("/v1/allocation-policy", responses=ETAG)
def get_allocation_policy(deps: DepsOf, _who: CallerOf, response: Response) -> AllocationPolicy:
    """Who gets goods first: class, urgency, tier, wanted day, and of equals who placed first. Before one is stored days alone count."""
    policy = read(deps)
    tag(response, policy.version)
    return policy


@router.post("/v1/allocation-policy", response_model=AllocationPolicy)
def put_allocation_policy(deps: DepsOf, body: AllocationPolicyInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Replace the allocation policy; what waits is put in its order and served, and who gets another date is told."""

    def act(_request_id: str) -> AllocationPolicy:
        return _put(deps, body, expected_version(body.version, if_match))

    return once.answer(body, act)


@router.patch("/v1/allocation-policy", responses=ETAG)
def change_allocation_policy(
    deps: DepsOf, _who: CallerOf, body: AllocationPolicyPatch, if_match: IfMatch, response: Response
) -> AllocationPolicy:
    """Change what is named of the allocation policy; the rest of it stays. Tiers that are named are all of them."""
    return changed_whole(
        body,
        AllocationPolicyInput,
        if_match,
        response,
        lambda: read(deps),
        lambda whole, expected: _put(deps, whole, expected),
    )


def _put(deps: Deps, body: AllocationPolicyInput, expected: int | None) -> AllocationPolicy:
    wanted = pb.AllocationPolicy(
        tiers=[pb.TierTerms(**one.model_dump()) for one in body.tiers], **body.model_dump(exclude={"tiers", "version"})
    )
    request = pb.PutAllocationPolicyRequest(policy=wanted, expected_version=expected)
    return _shape(deps.inventory.PutAllocationPolicy(request).policy)


def read(deps: Deps) -> AllocationPolicy:
    """The policy in force."""
    return _shape(deps.inventory.GetAllocationPolicy(pb.GetAllocationPolicyRequest()).policy)


def _shape(stored: pb.AllocationPolicy) -> AllocationPolicy:
    return AllocationPolicy(
        tiers=[
            TierTerms(
                tier=one.tier,
                allocation_class=one.allocation_class,  # type: ignore[arg-type]  # one of six words
                delivery=one.delivery,  # type: ignore[arg-type]  # one of two words
                is_manual=one.is_manual,
            )
            for one in stored.tiers
        ],
        usual_class=stored.usual_class,  # type: ignore[arg-type]  # one of six words
        is_fair_share=stored.is_fair_share,
        freeze_days=stored.freeze_days if stored.HasField("freeze_days") else None,
        version=stored.version,
    )
