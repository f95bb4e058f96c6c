"""The holds that keep orders which wait for their money."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from services.orders.domain.holds import Hold, is_on_money, remaining
from services.orders.policies import versions
from services.orders.store import holds as store


def money_holds(session: Session, order_ids: Sequence[str]) -> dict[str, Hold]:
    """Order id → its oldest open hold on credit or cash; orders that have none are missing."""
    if not order_ids:
        return {}
    rules = {rule.code: rule.when for rule in versions.policy_in_force(session).rules}
    found: dict[str, Hold] = {}
    for order_id, holds in store.of_orders(session, order_ids).items():
        on_money = [hold for hold in remaining(holds) if is_on_money(hold, rules)]
        if on_money:
            found[order_id] = on_money[0]
    return found
