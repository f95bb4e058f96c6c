"""The words that a list of orders is narrowed by: an unknown one is refused, since an empty list would read as "there are none"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from sqlmodel import Session

from services.kernel.errors import InvalidArgument
from services.orders.domain.holds import CodedType
from services.orders.domain.order import CHANNELS, PHASES
from services.orders.domain.overview import ANY_HOLD, OverviewFilter
from services.orders.domain.policies import POLICY_HOLD, hold_types
from services.orders.domain.status import STATUS_VALUES
from services.orders.policies import versions
from services.orders.store import holds
from services.runtime.roles import HOLD_OWNERS

NEEDS = (*HOLD_OWNERS, "customer", "carrier", "supplier", "system")
"""Everybody whom an order can wait for."""


def check(session: Session, wanted: OverviewFilter) -> None:
    """Refuse FILTER_UNKNOWN, with the words that there are, for one that no order can have."""
    for name, word, known in (
        ("status", wanted.status, STATUS_VALUES),
        ("phase", wanted.phase, PHASES),
        ("channel", wanted.channel, CHANNELS),
        ("needs", wanted.needs, NEEDS),
    ):
        _check(name, word, known)
    if wanted.hold:
        _check("hold", wanted.hold, _holds(session))


def _check(name: str, word: str, known: Sequence[str]) -> None:
    if word and word not in known:
        raise InvalidArgument("FILTER_UNKNOWN", f"{name} is one of {', '.join(known)}", parameter=name)


def _holds(session: Session) -> tuple[str, ...]:
    """Types that the policy in force gives, those that come without a rule, and those that still stand from earlier policies."""
    found = {
        *hold_types(versions.policy_in_force(session)),
        POLICY_HOLD,
        *get_args(CodedType),
        *holds.standing_types(session),
    }
    return (ANY_HOLD, *sorted(found))
