"""What the orders process is told from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from services.kernel.text import split_lines
from services.orders.domain.order import Address as Place
from services.orders.tax_engine.codes import parse_codes
from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


def _codes_text(given: str) -> str:
    parse_codes(given)
    return given


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
    # How long a client may take for the head and the body of a request, or for one with photos, to read our answer, and between two requests.
    http_head_s: Annotated[float, Field(gt=0)] = 10.0
    http_body_s: Annotated[float, Field(gt=0)] = 30.0
    http_files_s: Annotated[float, Field(gt=0)] = 180.0
    http_read_s: Annotated[float, Field(gt=0)] = 60.0
    http_idle_s: Annotated[int, Field(gt=0)] = 75
    # Connections, in all and of one address; behind a proxy, whose address they all have, set both alike.
    http_connections: Annotated[int, Field(gt=0)] = 1000
    http_connections_per_address: Annotated[int, Field(gt=0)] = 200
    # How late what should have happened may be until the audit calls it overdue: longer than a healthy system under load needs.
    overdue_minutes: Annotated[int, Field(ge=1, le=10_080)] = 15
    # What Stripe signs its events with; without it no order is taken by card.
    stripe_webhook_secret: SecretStr = SecretStr("")
    # Account id and license key, with a colon between.
    tax_engine_key: SecretStr = SecretStr("")
    # The external tax engine that orders are taxed by: an address of AvaTax, such as https://rest.avatax.com. Without one our own rates count.
    tax_engine_url: Annotated[str, StringConstraints(pattern=r"^(https?://[^\s/@?#]+)?$")] = ""
    tax_engine_company: Annotated[str, StringConstraints(min_length=1, max_length=25)] = "DEFAULT"
    # "reduced=PF050001, food=PF050002": the engine's tax code of each tax category beside standard, zero and freight.
    tax_engine_codes: Annotated[str, AfterValidator(_codes_text)] = ""
    # How long an order that is being placed, or a change, waits for the engine.
    tax_engine_timeout_s: Annotated[float, Field(gt=0, le=10)] = 2.0
    carrier_secrets: dict[str, str] = Field(default_factory=dict)
    # Where photos of returns are kept; beside the database file when nothing is named.
    photos_folder: Annotated[Path | None, BeforeValidator(lambda named: named or None)] = None

    @field_validator("tax_engine_url")
    @classmethod
    def _tax_engine_is_whole(cls, url: str, others: ValidationInfo) -> str:
        """An engine without a key, or without the place that is sold from, would refuse every order."""
        given: SecretStr = others.data.get("tax_engine_key", SecretStr(""))
        account, _, license_key = given.get_secret_value().partition(":")
        if url and not (account and license_key):
            raise ValueError("set OMS_TAX_ENGINE_KEY too: account id and license key, with a colon between")
        if url and not others.data.get("company_postal_code"):
            raise ValueError("set OMS_COMPANY_POSTAL_CODE too: the place that is sold from")
        return url

    @property
    def photos(self) -> Path:
        """The folder of photos of returns."""
        file = self.database_url.removeprefix("sqlite:///")
        beside = Path("var") if file == self.database_url else Path(file).parent
        return self.photos_folder or beside / "return-photos"

    @property
    def tax_codes(self) -> dict[str, str]:
        """Tax category → the tax engine's code."""
        return parse_codes(self.tax_engine_codes)

    @property
    def ships_from(self) -> Place:
        """Where the company sells from, as the tax engine is told."""
        street = (split_lines(self.company_address) or [""])[0]
        return Place("", street, self.company_city, "", self.company_postal_code, self.company_country)
