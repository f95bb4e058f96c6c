"""What a process is told from outside: environment variables with the prefix OMS_."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings that every process shares; the defaults are the embedded mode on one machine."""

    model_config = SettingsConfigDict(env_prefix="OMS_", extra="ignore", frozen=True)

    mode: Literal["embedded", "production"] = "embedded"
    database_url: str = "sqlite:///var/unnamed.db"
    listen: str = "127.0.0.1:0"
    orders_target: str = "127.0.0.1:7301"
    inventory_target: str = "127.0.0.1:7302"
    fulfillment_target: str = "127.0.0.1:7303"
    billing_target: str = "127.0.0.1:7304"
    notifications_target: str = "127.0.0.1:7305"
    temporal_target: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    keys_dir: Path = Path("var/keys")
    oidc_issuer: str = ""
    otlp_endpoint: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_listen: str = ""
    grpc_workers: int = 12
