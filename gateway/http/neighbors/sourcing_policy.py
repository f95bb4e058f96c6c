"""The sourcing policy: what counts when warehouses are chosen for an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, StoredVersion, changed_whole, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Identity, Input, Minor, Switch, example
from oms.inventory.v1 import inventory_pb2 as pb

router = APIRouter(tags=["master data"])


class SourcingTermsInput(Input):
    """What sourcing from one warehouse costs beside its carrier, in minor units."""

    warehouse_id: Identity
    order_fee_minor: Minor = Field(default=0, description="What a third party takes for each order.")
    unit_fee_minor: Minor = Field(default=0, description="What a third party takes for each unit.")
    avoidance_minor: Minor = Field(
        default=0, description="How much dearer another warehouse may be before this one is chosen."
    )
    is_excluded: Switch = Field(default=False, description="It gets no new orders and fills no new backorders.")
    excludes_hazardous: Switch = Field(
        default=False,
        description="It may not keep or send dangerous goods: of a SKU that is hazardous it gives nothing.",
    )


class CustomerTermsInput(Input):
    """Where one customer's orders come from."""

    customer_id: Identity
    preferred_warehouse_ids: Annotated[list[Identity], Field(max_length=50)] = []
    preference_minor: Minor = Field(
        default=0, description="How much dearer a preferred warehouse may be than any other."
    )
    excluded_warehouse_ids: Annotated[list[Identity], Field(max_length=50)] = Field(
        default=[], description="They serve this customer never."
    )
    is_never_split: Switch = Field(
        default=False, description="An order comes from one warehouse; what that one does not have waits for it."
    )


Splits = Annotated[int, Field(strict=True, ge=0, le=199)]


class SourcingPolicyInput(Input):
    """The whole sourcing policy, in minor units of the rate table's currency; it replaces the one before."""

    split_penalty_minor: Minor = Field(default=0, description="What each shipment after the first counts as.")
    late_day_minor: Minor = Field(
        default=0, description="What each day behind the requested date counts as, of each shipment."
    )
    maximum_splits: Splits | None = Field(
        default=None, description="Shipments after the first, at most: 0 never splits an order. Null is any number."
    )
    nodes: Annotated[list[SourcingTermsInput], Field(max_length=200)] = Field(
        default=[], description="Terms of single warehouses, each once."
    )
    customers: Annotated[list[CustomerTermsInput], Field(max_length=500)] = Field(
        default=[], description="Terms of single customers, each once."
    )
    version: SeenVersion = None

    model_config = example(
        split_penalty_minor=500, maximum_splits=2, nodes=[{"warehouse_id": "wh_reno", "avoidance_minor": 250}]
    )


if TYPE_CHECKING:
    SourcingPolicyPatch = Input
else:
    SourcingPolicyPatch = partial("SourcingPolicyPatch", SourcingPolicyInput, (), split_penalty_minor=250)


class SourcingTerms(BaseModel):
    """What sourcing from one warehouse costs beside its carrier, in minor units."""

    warehouse_id: str
    order_fee_minor: int
    unit_fee_minor: int
    avoidance_minor: int
    is_excluded: bool
    excludes_hazardous: bool


class CustomerSourcingTerms(BaseModel):
    """Where one customer's orders come from."""

    customer_id: str
    preferred_warehouse_ids: list[str]
    preference_minor: int
    excluded_warehouse_ids: list[str]
    is_never_split: bool


class SourcingPolicy(BaseModel):
    """How warehouses are chosen, in minor units of the rate table's currency."""

    split_penalty_minor: int
    late_day_minor: int
    maximum_splits: int | None
    nodes: list[SourcingTerms]
    customers: list[CustomerSourcingTerms]
    version: StoredVersion


@router.get("/v1/sourcing-policy", responses=ETAG)
def get_sourcing_policy(deps: DepsOf, _who: CallerOf, response: Response) -> SourcingPolicy:
    """How warehouses are chosen: most units first, then the lowest cost under this policy. Nothing counts before one is stored."""
    policy = policy_in_force(deps)
    tag(response, policy.version)
    return policy


@router.post("/v1/sourcing-policy", response_model=SourcingPolicy)
def put_sourcing_policy(deps: DepsOf, body: SourcingPolicyInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Replace the sourcing policy; it holds for what is reserved from then on, and moves nothing that is held."""

    def act(_request_id: str) -> SourcingPolicy:
        return _put(deps, body, expected_version(body.version, if_match))

    return once.answer(body, act)


@router.patch("/v1/sourcing-policy", responses=ETAG)
def change_sourcing_policy(
    deps: DepsOf, _who: CallerOf, body: SourcingPolicyPatch, if_match: IfMatch, response: Response
) -> SourcingPolicy:
    """Change what is named of the sourcing policy; the rest of it stays. Terms of warehouses or customers that are named are all of them."""
    return changed_whole(
        body,
        SourcingPolicyInput,
        if_match,
        response,
        lambda: policy_in_force(deps),
        lambda whole, expected: _put(deps, whole, expected),
    )


def _put(deps: Deps, body: SourcingPolicyInput, expected: int | None) -> SourcingPolicy:
    request = pb.PutSourcingPolicyRequest(policy=policy_message(body), expected_version=expected)
    return _shape(deps.inventory.PutSourcingPolicy(request).policy)


def policy_message(body: SourcingPolicyInput) -> pb.SourcingPolicy:
    """A policy that was sent, for the wire."""
    return pb.SourcingPolicy(
        nodes=[pb.NodeTerms(**node.model_dump()) for node in body.nodes],
        customers=[pb.CustomerTerms(**one.model_dump()) for one in body.customers],
        **body.model_dump(exclude={"nodes", "customers", "version"}),
    )


def policy_in_force(deps: Deps) -> SourcingPolicy:
    """The policy as it stands."""
    return _shape(deps.inventory.GetSourcingPolicy(pb.GetSourcingPolicyRequest()).policy)


def _shape(stored: pb.SourcingPolicy) -> SourcingPolicy:
    return SourcingPolicy(
        split_penalty_minor=stored.split_penalty_minor,
        late_day_minor=stored.late_day_minor,
        maximum_splits=stored.maximum_splits if stored.HasField("maximum_splits") else None,
        nodes=[
            SourcingTerms(
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
            CustomerSourcingTerms(
                customer_id=one.customer_id,
                preferred_warehouse_ids=list(one.preferred_warehouse_ids),
                preference_minor=one.preference_minor,
                excluded_warehouse_ids=list(one.excluded_warehouse_ids),
                is_never_split=one.is_never_split,
            )
            for one in stored.customers
        ],
        version=stored.version,
    )
