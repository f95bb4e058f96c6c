"""What a policy says of returns: how long goods may come back, what needs no review, and the restocking fee."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from services.orders.domain import policy_text as read
from services.orders.domain.policy_text import invalid

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?")
_PERCENT = re.compile(r"(100(\.0{1,4})?|[1-9]?[0-9](\.[0-9]{1,4})?)")
MAX_DAYS = 3660


@dataclass(frozen=True, slots=True)
class ReturnsRule:
    """A return may be asked for within `window_days` of delivery, and its goods must come within `valid_days` of its authorization.

    One worth no more than `automatic_up_to`, in the policy's currency, is authorized at once. `fee_percent` is kept of what is
    credited before tax, where the customer answers for the return. With `claw_back`, an order that is placed under it loses a discount
    when what is kept does not come to the discount's minimum.
    """

    window_days: int = 30
    valid_days: int = 30
    automatic_up_to: str = "500.00"
    fee_percent: str = "0"
    claw_back: bool = True


USUAL_RETURNS = ReturnsRule()


def parse_returns(value: object) -> ReturnsRule:
    """The rule; InvalidArgument POLICY_INVALID names what is wrong."""
    usual = USUAL_RETURNS
    row = read.members(value, "returns", tuple(ReturnsRule.__dataclass_fields__))
    days = {
        name: read.whole(row.get(name, getattr(usual, name)), f"returns: {name}", low, MAX_DAYS)
        for name, low in (("window_days", 0), ("valid_days", 1))
    }
    most = read.words(row.get("automatic_up_to", usual.automatic_up_to), "returns: automatic_up_to")
    fee = read.words(row.get("fee_percent", usual.fee_percent), "returns: fee_percent")
    if not _AMOUNT.fullmatch(most):
        raise invalid("returns: automatic_up_to", 'must be an amount such as "500.00"')
    if not _PERCENT.fullmatch(fee) or Decimal(fee) > 100:
        raise invalid("returns: fee_percent", 'must be a percentage from "0" to "100"')
    claw_back = row.get("claw_back", usual.claw_back)
    if not isinstance(claw_back, bool):
        raise invalid("returns: claw_back", "must be true or false")
    return ReturnsRule(**days, automatic_up_to=most, fee_percent=fee, claw_back=claw_back)
