"""Tax exemption certificates of customers, as they are sent and shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from gateway.http.plumbing.inputs import Country, Day, Identity, Input
from services.orders.domain.taxation import TaxExemption

Region = Annotated[str, StringConstraints(max_length=10, pattern=r"^[A-Z0-9-]{0,10}$")]


class ExemptionInput(Input):
    """A certificate: what goes to its place, from its first day to its last, is not taxed."""

    certificate: Identity = Field(
        description="Its number, as orders name it and documents print it.", examples=["TX-88-1"]
    )
    country: Country
    region: Region = Field(default="", description="A state or province; empty is all of the country.")
    valid_from: Day
    valid_to: Day | None = Field(default=None, description="The last day; without one for ever.")


class ExemptionShape(BaseModel):
    """A certificate."""

    certificate: str
    country: str
    region: str
    valid_from: str
    valid_to: str | None


def exemption(body: ExemptionInput) -> TaxExemption:
    """The certificate that was sent."""
    return TaxExemption(body.certificate, body.country, body.valid_from, body.region, body.valid_to)


def exemption_shape(kept: TaxExemption) -> ExemptionShape:
    """A certificate, to be shown."""
    last = kept.valid_to.isoformat() if kept.valid_to else None
    return ExemptionShape(
        certificate=kept.certificate,
        country=kept.country,
        region=kept.region,
        valid_from=kept.valid_from.isoformat(),
        valid_to=last,
    )
