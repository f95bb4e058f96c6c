"""What the API needs from its process, given once to create_app()."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Protocol

from fastapi import Depends, Request

from oms.billing.v1.billing_pb2_grpc import BillingServiceStub
from oms.fulfillment.v1.fulfillment_pb2_grpc import FulfillmentServiceStub
from oms.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from oms.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from services.kernel.clock import Clock
from services.orders.access import Matrix, load_matrix
from services.orders.api.measures import Measures
from services.runtime.auth import Principal
from services.runtime.db import Database
from workflows.messages import CancelOrder, CancelOutcome, Look, OrderRef, Receipt, Seen


class Verifies(Protocol):
    """Turns a token into a principal or raises NotAuthenticated."""

    def verify(self, token: str) -> Principal:
        """The principal of a good token."""


class Workflows(Protocol):
    """The part of workflows.client.OrderWorkflows that the API calls."""

    async def place(self, order: OrderRef, timeout: timedelta) -> Receipt | None:
        """Start the order and wait for its verdict; None when it does not come in time."""

    async def cancel(self, order_id: str, request: CancelOrder, timeout: timedelta) -> CancelOutcome | None:
        """Carry a recorded cancellation out; None when the outcome does not come in time."""

    async def look(self, order_id: str, update: str, look: Look, update_id: str, timeout: timedelta) -> Seen | None:
        """Let the workflow see what somebody decided; None when it does not answer in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How the API behaves; `carrier_secrets` maps a carrier to the secret that signs its webhooks ("whsec_…").

    Without a `support_email` nobody is told of a support case.
    """

    carrier_secrets: Mapping[str, str] = field(default_factory=dict)
    support_email: str = ""
    place_timeout: timedelta = timedelta(seconds=2.5)
    cancel_timeout: timedelta = timedelta(seconds=8)
    look_timeout: timedelta = timedelta(seconds=4)
    stream_poll_s: float = 0.5
    stream_heartbeat_s: float = 15.0
    stream_max_s: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The orders process as its API sees it: own database, four neighbours over gRPC, the workflows, the token verifier.

    `probes` maps what readiness rests on ("temporal", "billing", …) to a call that raises Unreachable when it is away.
    """

    database: Database
    clock: Clock
    authenticator: Verifies
    workflows: Workflows
    inventory: InventoryServiceStub
    fulfillment: FulfillmentServiceStub
    billing: BillingServiceStub
    notifications: NotificationsServiceStub
    probes: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    settings: ApiSettings = field(default_factory=ApiSettings)
    matrix: Matrix = field(default_factory=load_matrix)
    measures: Measures = field(default_factory=Measures)


def deps_of(request: Request) -> Deps:
    """The Deps that this application was created with."""
    deps: Deps = request.app.state.deps
    return deps


DepsOf = Annotated[Deps, Depends(deps_of)]
