"""The fee ladder of a policy: what canceling costs of what is built to order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.http.plumbing.inputs import Input, Switch

Percent = Annotated[int, Field(strict=True, ge=0, le=100)]


class CancellationFees(Input):
    """What canceling costs of what is built to order, in percent of the canceled amount: `started` are units that wait once the
    plant's confirmed day less the lead time has come, `finished` are those in stock.
    """

    not_started: Percent = 0
    started: Percent = 0
    finished: Percent = 0
    is_taxed: Switch = Field(default=False, description="Whether a fee is taxed as the goods that it is for.")
