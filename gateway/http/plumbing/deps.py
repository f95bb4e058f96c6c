"""What the API needs from its process, given once to create_app()."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from gateway.http.plumbing.measures import Measures
from oms.billing.v1.billing_pb2_grpc import BillingServiceStub
from oms.fulfillment.v1.fulfillment_pb2_grpc import FulfillmentServiceStub
from oms.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from oms.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from services.kernel.clock import Clock
from services.kernel.formats import Formats
from services.orders.access.matrix import Matrix, load_matrix
from services.orders.access.standing import Standing
from services.orders.domain.mails import NOBODY, Contacts
from services.orders.domain.tax_engine import OwnRates, TaxDesk
from services.orders.returns.photo_files import PhotoFiles
from services.runtime.auth import Principal
from services.runtime.db import Database
from services.runtime.disk import Disk
from workflows.messages import Acknowledged, CancelOrder, CancelOutcome, ClearanceRefresh, OrderRef, Receipt


class Verifies(Protocol):
    """Turns a token into a principal or raises NotAuthenticated."""

    def known(self, token: str) -> Principal | None:
        """The principal of a token that was verified before; None for any other."""

    def verify(self, token: str) -> Principal:
        """The principal of a good token; may ask a provider for its keys."""

    def id_token(self, token: str, client_id: str) -> Mapping[str, Any]:
        """The claims of a good ID token that the OIDC provider made for this client."""


class Workflows(Protocol):
    """The part of workflows.client.OrderWorkflows that the API calls."""

    async def place(self, order: OrderRef, timeout: timedelta) -> Receipt | None:
        """Start the order and wait for its verdict; None when it does not come in time."""

    async def cancel(self, number: str, request: CancelOrder, timeout: timedelta) -> CancelOutcome | None:
        """Carry a recorded cancellation out; None when the outcome does not come in time."""

    async def refresh(
        self, number: str, update: str, refresh: ClearanceRefresh, update_id: str, timeout: timedelta
    ) -> Acknowledged | None:
        """Let the workflow see what somebody decided; None when it does not answer in time."""

    async def is_running(self, number: str) -> bool:
        """Whether the order's workflow runs now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How the API behaves; `carrier_secrets` maps a carrier to the secret that signs its webhooks ("whsec_…").

    Without a `stripe_webhook_secret` no order is taken by card. Without a `support_email` nobody is told of a support case. A stream ends after `stream_max_s`, so that who follows it comes again
    and is asked for a token that is still good. What is later than `overdue` the audit calls overdue.
    """

    carrier_secrets: Mapping[str, str] = field(default_factory=dict)
    stripe_webhook_secret: str = ""
    support_email: str = ""
    place_timeout: timedelta = timedelta(seconds=2.5)
    cancel_timeout: timedelta = timedelta(seconds=8)
    refresh_timeout: timedelta = timedelta(seconds=4)
    stream_poll_s: float = 0.5
    stream_heartbeat_s: float = 15.0
    stream_max_s: float = 30.0
    overdue: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """How the console behaves: where people reach it, who signs them in, and where engineers look into workflows.

    `company_name` and `country` (ISO 3166) are the selling company's; addresses name another country than its own. Without an `oidc_issuer` people log in here, by password or token; with one only there. An empty `temporal_ui_url` shows no
    links to workflows.
    """

    public_url: str = "http://127.0.0.1:8000"
    temporal_ui_url: str = ""
    temporal_namespace: str = "default"
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    stream_max_s: float = 30.0
    formats: Formats = field(default_factory=Formats)
    company_name: str = "Order desk"
    country: str = "US"

    @property
    def is_secure(self) -> bool:
        """Whether people come over https, so that cookies may insist on it."""
        return self.public_url.startswith("https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The orders process as its API sees it: own database, four neighbors over gRPC, the workflows, the token verifier.

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
    contacts: Contacts = NOBODY
    taxes: TaxDesk = field(default_factory=OwnRates)
    settings: ApiSettings = field(default_factory=ApiSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    matrix: Matrix = field(default_factory=load_matrix)
    measures: Measures = field(default_factory=Measures)
    disk: Disk = field(default_factory=Disk)
    photos: PhotoFiles = field(default_factory=lambda: PhotoFiles(Path("var/return-photos")))
    standing: Standing = field(default_factory=Standing)


def deps_of(request: Request) -> Deps:
    """The Deps that this application was created with."""
    deps: Deps = request.app.state.deps
    return deps


async def _deps(request: Request) -> Deps:  # async: a dependency that is not costs a trip to a thread in each request
    return deps_of(request)


DepsOf = Annotated[Deps, Depends(_deps)]
