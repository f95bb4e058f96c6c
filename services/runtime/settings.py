"""What a process is told from outside: environment variables with the prefix OMS_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, DirectoryPath, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from services.kernel.bounds import CLIENT_IDLE_S
from services.kernel.currencies import DECIMALS
from services.kernel.formats import Clock, DateOrder, Formats
from services.runtime.company import Company
from services.runtime.disk import Disk

Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-\[\]:]+:[0-9]{1,5}$")]
"""host:port"""


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone, such as America/Chicago") from None


TimeZone = Annotated[str, AfterValidator(_known_zone)]
"""An IANA time zone that this machine knows."""


def _known_currency(code: str) -> str:
    if code not in DECIMALS:
        raise ValueError("must be an ISO 4217 currency code, such as USD")
    return code


CurrencyCode = Annotated[str, AfterValidator(_known_currency)]
"""An ISO 4217 code."""

DatabaseUrl = Annotated[str, StringConstraints(pattern=r"^(sqlite:///.+|postgresql\+psycopg://.+)$")]
"""sqlite:///file.db or postgresql+psycopg://user:password@host/database"""


_SQLITE = "sqlite:///"


class ServiceSettings(BaseSettings):
    """Settings that every process shares; the defaults are the embedded mode on one machine."""

    model_config = SettingsConfigDict(env_prefix="OMS_", extra="ignore", frozen=True)

    mode: Literal["embedded", "production"] = "embedded"
    database_url: DatabaseUrl = "sqlite:///var/unnamed.db"
    listen: Address = "127.0.0.1:0"
    orders_target: Address = "127.0.0.1:7301"
    inventory_target: Address = "127.0.0.1:7302"
    fulfillment_target: Address = "127.0.0.1:7303"
    billing_target: Address = "127.0.0.1:7304"
    notifications_target: Address = "127.0.0.1:7305"
    temporal_target: Address = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    keys_dir: Path = Path("var/keys")
    oidc_issuer: str = ""
    otlp_endpoint: str = ""
    # Which share of traces is kept and sent to the collector.
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_listen: Address | Literal[""] = ""
    grpc_workers: int = 12
    # How long a connection may take until it speaks gRPC, and rest between two calls.
    grpc_handshake_s: Annotated[float, Field(gt=0)] = 10.0
    grpc_idle_s: Annotated[float, Field(gt=CLIENT_IDLE_S)] = 600.0
    # Warn when less is free on the disk of the database file, or of a folder that is named here: a server's database is elsewhere.
    disk_folder: Annotated[DirectoryPath | None, BeforeValidator(lambda named: named or None)] = None
    disk_warn_mib: Annotated[int, Field(ge=0)] = 1024
    # Whether a gRPC server tells anybody its methods and messages, as grpcurl asks.
    grpc_reflection: bool = False
    # The selling company as customers read it; lines of the address, of the signature and of the bank are separated by "|".
    company_name: str = "Order desk"
    company_address: str = ""
    company_signature: str = ""
    # What invoices say of it beside its name and address.
    company_tax_id: str = ""
    company_bank: str = ""
    # What e-invoices say of it beside them; the electronic address is scheme:identifier, such as EM:invoices@kessler.example.
    company_city: str = ""
    company_postal_code: str = ""
    company_electronic_address: Annotated[str, StringConstraints(pattern=r"^([0-9A-Z]{2,4}:\S+)?$")] = ""
    # Where the selling company is; addresses name another country only.
    company_country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "US"
    # Countries to which documents round the tax of each line, such as "JP,MX"; to others the tax of each rate.
    tax_per_line: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}(,[A-Z]{2})*)?$")] = ""
    time_zone: TimeZone = "UTC"
    # What amounts of the company are in where nothing says another currency: its policies' limits, stock that was never received.
    currency: CurrencyCode = "USD"
    date_order: DateOrder = "mdy"
    clock: Clock = "12h"

    @property
    def disk(self) -> Disk:
        """The disk that the process's data is on."""
        is_file = self.database_url.startswith(_SQLITE)
        beside = Path(self.database_url.removeprefix(_SQLITE)).parent if is_file else None
        return Disk(self.disk_folder or beside, self.disk_warn_mib << 20)

    @property
    def selling_company(self) -> Company:
        """The selling company as its databases know it."""
        return Company(self.company_country, frozenset(filter(None, self.tax_per_line.split(","))))

    @property
    def formats(self) -> Formats:
        """How this company writes days and times."""
        return Formats(self.time_zone, self.date_order, self.clock)


class UnusableSettings(RuntimeError):
    """A variable holds what it cannot hold; the message names each and says what it may be."""


SettingsType = TypeVar("SettingsType", bound=ServiceSettings)


def read_settings(kind: type[SettingsType]) -> SettingsType:
    """The settings from the environment, or UnusableSettings naming every variable that is wrong, never its value."""
    try:
        return kind()
    except ValidationError as wrong:
        problems = "; ".join(
            f"OMS_{'_'.join(map(str, error['loc'])).upper()}: {error['msg']}" for error in wrong.errors()
        )
        raise UnusableSettings(f"correct the environment: {problems}") from None
    except SettingsError as unreadable:
        raise UnusableSettings(f"correct the environment: {unreadable}") from None
