"""What the fulfillment process is told from outside."""

from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from services.fulfillment.domain.sscc import DEMONSTRATION_PREFIX
from services.fulfillment.number_packages import PackingRules
from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """The shared settings with fulfillment's own database and port."""

    database_url: DatabaseUrl = "sqlite:///var/fulfillment.db"
    listen: Address = "127.0.0.1:7303"
    carriers: Literal["", "sandbox"] = ""
    """Who is asked to stop a parcel on its way: sandbox answers for every carrier; empty for a person who asks it."""

    gs1_company_prefix: Annotated[str, StringConstraints(pattern=r"^([0-9]{6,12})?$")] = ""
    """The company's GS1 prefix, with which the codes of its packages begin (SSCC); without one they have none, but for the embedded
    mode, which takes one that GS1 keeps for examples."""

    @property
    def packing(self) -> PackingRules:
        """How packages are named; only a system that ships nothing makes tracking numbers up."""
        is_embedded = self.mode == "embedded"
        prefix = self.gs1_company_prefix or (DEMONSTRATION_PREFIX if is_embedded else "")
        return PackingRules(prefix, invents_numbers=is_embedded)

    @model_validator(mode="after")
    def _asks_real_carriers(self) -> Self:
        """A system that ships goods must not believe that a sandbox stops them."""
        if self.mode == "production" and self.carriers:
            raise ValueError(
                "OMS_CARRIERS=sandbox is for the embedded mode: leave it empty, and a person asks the carrier"
            )
        return self
