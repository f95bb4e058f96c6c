"""What the orders process is told from outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """The shared settings with the database, ports and mailboxes of orders."""

    database_url: DatabaseUrl = "sqlite:///var/orders.db"
    listen: Address = "127.0.0.1:7301"
    http_listen: Address = "127.0.0.1:8000"
    warehouse_manager_email: str = "warehouse@oms.example"
    accounting_email: str = "accounting@oms.example"
    support_email: str = "support@oms.example"
    # Your web shop's page that posts to /v1/orders/{order_id}/feedback; without one it is the order's page in the console.
    feedback_url: str = ""
    # Where people reach the console; https makes its cookies insist on it.
    public_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+$")] = "http://127.0.0.1:8000"
    temporal_ui_url: str = ""
    # What the provider of OMS_OIDC_ISSUER knows the console as.
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    # How long a client may take for the head and the body of a request, to read our answer, and between two requests.
    http_head_s: Annotated[float, Field(gt=0)] = 10.0
    http_body_s: Annotated[float, Field(gt=0)] = 30.0
    http_read_s: Annotated[float, Field(gt=0)] = 60.0
    http_idle_s: Annotated[int, Field(gt=0)] = 75
    # Connections, in all and of one address; behind a proxy, whose address they all have, set both alike.
    http_connections: Annotated[int, Field(gt=0)] = 1000
    http_connections_per_address: Annotated[int, Field(gt=0)] = 200
    # How late what should have happened may be until the audit calls it overdue: longer than a healthy system under load needs.
    overdue_minutes: Annotated[int, Field(ge=1, le=10_080)] = 15
    # What Stripe signs its events with; without it no order is taken by card.
    stripe_webhook_secret: SecretStr = SecretStr("")
    carrier_secrets: dict[str, str] = Field(default_factory=dict)
