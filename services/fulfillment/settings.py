"""What the fulfillment process is told from outside."""

from typing import Literal, Self

from pydantic import model_validator

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """The shared settings with fulfillment's own database and port."""

    database_url: DatabaseUrl = "sqlite:///var/fulfillment.db"
    listen: Address = "127.0.0.1:7303"
    carriers: Literal["", "sandbox"] = ""
    """Who is asked to stop a parcel on its way: sandbox answers for every carrier; empty for a person who asks it."""

    @model_validator(mode="after")
    def _asks_real_carriers(self) -> Self:
        """A system that ships goods must not believe that a sandbox stops them."""
        if self.mode == "production" and self.carriers:
            raise ValueError(
                "OMS_CARRIERS=sandbox is for the embedded mode: leave it empty, and a person asks the carrier"
            )
        return self
