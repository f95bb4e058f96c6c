"""What a policy says of promises, as the API takes and shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.http.plumbing.inputs import Input
from services.orders.domain.promises_rule import MAX_TOLERANCE_DAYS


class PromisesRuleInput(Input):
    """How late a promised day may come before people are told."""

    slip_tolerance_days: Annotated[int, Field(strict=True, ge=0, le=MAX_TOLERANCE_DAYS)] = Field(
        default=0,
        description="Customer, sales representative and warehouse are told of a day that is more days later than the customer was told.",
    )
