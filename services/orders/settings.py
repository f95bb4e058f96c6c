"""What the orders process is told from outside."""

from __future__ import annotations

from pydantic import Field

from services.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The shared settings with the database, ports and house mailboxes of orders."""

    database_url: str = "sqlite:///var/orders.db"
    listen: str = "127.0.0.1:7301"
    http_listen: str = "127.0.0.1:8000"
    warehouse_manager_email: str = "warehouse@oms.example"
    accounting_email: str = "accounting@oms.example"
    support_email: str = "support@oms.example"
    # Your web shop's page that posts to /v1/orders/{order_id}/feedback; without one customers answer by mail to support.
    feedback_url: str = ""
    carrier_secrets: dict[str, str] = Field(default_factory=dict)
