"""Invoicing policies: which shipments become one invoice, and the day it bears; or the whole order, once it is accepted."""

from datetime import date, timedelta

from services.kernel.errors import InvalidArgument
from services.kernel.terms import end_of_month

PER_SHIPMENT, PER_DELIVERY, WEEKLY, MONTHLY, MANUAL = "per_shipment", "per_delivery", "weekly", "monthly", "manual"
AT_ORDER = "at_order"
EXCHANGE = "exchange"
"""Of an order that replaces goods of a return without documents: only what did not come back is invoiced. No customer has it."""
OF_SHIPMENTS = (PER_SHIPMENT, PER_DELIVERY, WEEKLY, MONTHLY, MANUAL)
"""Those that invoice what has shipped."""
POLICIES = (*OF_SHIPMENTS, AT_ORDER)
PERIODIC = frozenset({WEEKLY, MONTHLY})

_DEFERRABLE = frozenset({"terms", "deposit"})
"""Payment methods that leave time; for all others the invoice is there when the goods leave: it is captured, collected or settled."""


def check_policy(policy: str) -> str:
    """The policy, per_shipment for none; InvalidArgument INVOICING_UNKNOWN for a word that names none."""
    if policy and policy not in POLICIES:
        raise InvalidArgument(
            "INVOICING_UNKNOWN", f"{policy[:40]!r} is no invoicing policy: use one of {', '.join(POLICIES)}"
        )
    return policy or PER_SHIPMENT


def policy_of(policy: str, payment_method: str) -> str:
    """The policy that an order has, of a customer with this one: what is paid by card, ahead, in cash or elsewhere is per shipment."""
    if policy == EXCHANGE:
        return policy
    return check_policy(policy) if payment_method in _DEFERRABLE else PER_SHIPMENT


def period_end(policy: str, day: date) -> date:
    """The last day of the period that a day is in: Sunday, or the last of the month. The day itself without a period."""
    if policy == WEEKLY:
        return day + timedelta(days=6 - day.weekday())
    if policy == MONTHLY:
        return end_of_month(day)
    return day


def invoiced_on(policy: str, shipped_on: date, delivered_on: date | None) -> date | None:
    """The day that the invoice of a shipment bears: of leaving, of arrival, or the last of its period.

    None while nobody knows: its goods are on the way, or accounting makes it by hand.
    """
    if policy == MANUAL:
        return None
    return delivered_on if policy == PER_DELIVERY else period_end(policy, shipped_on)


def is_due(policy: str, day: date | None, today: date) -> bool:
    """Whether the invoice that bears this day is to be made: one of a period once that is over."""
    if day is None:
        return False
    return day < today if policy in PERIODIC else day <= today
