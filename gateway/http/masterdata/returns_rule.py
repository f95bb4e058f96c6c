"""What a policy says of returns, as the API takes and shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gateway.http.plumbing.inputs import Input, Percent, Switch


class ReturnsRuleInput(Input):
    """How long goods may come back, what needs no review, and the restocking fee."""

    window_days: Annotated[int, Field(strict=True, ge=0, le=3660)] = Field(
        default=30, description="A return may be asked for within so many days of delivery."
    )
    valid_days: Annotated[int, Field(strict=True, ge=1, le=3660)] = Field(
        default=30, description="Its goods must come within so many days of its authorization."
    )
    automatic_up_to: Annotated[
        str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$", max_length=16)
    ] = Field(default="500.00", description="One of goods worth no more, in the policy's currency, needs no review.")
    fee_percent: Percent = Field(
        default="0", description="Kept of what is credited before tax, where the customer answers for the return."
    )
    claw_back: Switch = Field(
        default=True,
        description="Whether orders that are placed under it lose a discount with a minimum when less than that is kept.",
    )
