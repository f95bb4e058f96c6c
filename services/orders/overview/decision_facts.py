"""The facts that a decision on an order rests on, as far as orders knows them; stock and credit are the neighbors' to say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.kernel.money import Money
from services.orders.domain.holds import Hold, Subject, subjects
from services.orders.domain.margins import Margin, margin_of
from services.orders.domain.order import Order
from services.orders.domain.price_check import LinePrices, line_prices
from services.orders.domain.projection import LineQuantities, quantities
from services.orders.policies import versions as policies
from services.orders.store import events, masterdata, order_history, progress, versions
from services.runtime import sessions

_NUMBER = re.compile(r"_[0-9]+$")
"""What a second hold of the same rule has behind its code."""


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """An order as it will be if the decision is yes, and what is known of it today.

    `reached` is line id → quantities of the order as it is; `changed` is what rules said when they were asked again and facts had
    changed since the validation, empty when they had not; `same_po` are numbers of the customer's other orders under its PO number.
    """

    order: Order
    reached: Mapping[str, LineQuantities]
    invoiced: Money
    prices: tuple[LinePrices, ...]
    margin: Margin
    changed: str
    same_po: tuple[str, ...]

    @property
    def changed_prices(self) -> tuple[LinePrices, ...]:
        """The lines whose price today is another than the one captured, in line order."""
        return tuple(line for line in self.prices if line.has_changed)


def facts_of(session: Session, order: Order, now: datetime, change_id: str = "") -> DecisionFacts:
    """The facts of an order as it is, or as the change that is asked about will make it; seven queries however many lines."""
    becomes = versions.becomes(session, order, change_id) if change_id else order
    skus = sorted({line.sku for line in becomes.lines})
    products = masterdata.products_of(session, skus)
    agreements = masterdata.agreements_of(session, order.customer_id, skus)
    kept = progress.load(session, order.order_id)
    said = events.of_kinds(session, order.order_id, ("facts_changed",), now)
    invoiced = sum(invoice.total_minor for invoice in kept.progress.bills)
    return DecisionFacts(
        order=becomes,
        reached=quantities(order, kept.progress),
        invoiced=Money(invoiced, order.currency),
        prices=line_prices(becomes, products, agreements, sessions.business_day(session, now)),
        margin=margin_of(becomes, products),
        changed=said[-1].why if said else "",
        same_po=tuple(order_history.duplicates(session, order)),
    )


def subjects_of(session: Session, hold: Hold) -> frozenset[Subject]:
    """What a hold is about: what its type says, and what its rule looks at."""
    code = _NUMBER.sub("", hold.code)
    rules = policies.policy_in_force(session).rules
    when = next((rule.when for rule in rules if rule.code in (hold.code, code)), "")
    return subjects(hold.hold_type, when)
