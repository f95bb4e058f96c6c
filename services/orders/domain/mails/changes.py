"""Mails about a change to an order: proposed for consent, made, declined, unanswered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.kernel.formats import amount
from services.kernel.money import Money
from services.orders.domain.mails.links import order_page, own_order_page
from services.orders.domain.mails.mail import (
    Contacts,
    Mail,
    Recipient,
    accounting_mailbox,
    buyer,
    currency_of,
    listed,
    of_sales,
    reachable,
    sales_rep,
    support_mailbox,
    warehouse_mailbox,
    zoned_instant,
)
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Order


@dataclass(frozen=True, slots=True)
class Change:
    """One difference as people read it; `before` is empty for what is new, `after` for what is gone.

    The warehouse is not shown a change that `is_money`.
    """

    what: str
    before: str
    after: str
    is_money: bool = False


def order_changed(
    order: Order,
    customer: Customer,
    contacts: Contacts,
    changes: Sequence[Change],
    *,
    total_before: Money,
    reason: str,
    is_at_warehouse: bool,
    is_total_changed: bool = False,
) -> Mail:
    """`order` is already changed; the warehouse is notified when the order is there, accounting when credit changes."""
    variables = _diff(order, changes, total_before, order.totals.total, reason)
    staff = (
        *(warehouse_mailbox(contacts) if is_at_warehouse else ()),
        *(accounting_mailbox(contacts) if is_total_changed else ()),
    )
    return Mail("order_changed", (*buyer(customer), *sales_rep(customer), *staff), variables)


def consent_requested(
    order: Order,
    customer: Customer,
    contacts: Contacts,
    changes: Sequence[Change],
    *,
    total_after: Money,
    reason: str,
    respond_by: datetime,
) -> Mail:
    """`order` is as it still stands; without a zone of its own, `respond_by` is shown on the company's clock."""
    variables = {
        **_diff(order, changes, order.totals.total, total_after, reason),
        "respond_by": zoned_instant(respond_by),
        "link": own_order_page(contacts, order.number),
        "staff_link": order_page(contacts, order.number),
    }
    return Mail("consent_requested", (*buyer(customer), *sales_rep(customer)), variables)


def consent_declined(order: Order, customer: Customer, reason: str) -> Mail:
    """The customer said no, for this reason, which may be empty; `order` stands as it is."""
    variables = {"reason": reason, "version": order.version}
    return Mail("consent_declined", (*buyer(customer), *sales_rep(customer)), variables)


def consent_expired(order: Order, customer: Customer, reason: str) -> Mail:
    """The customer did not answer; `reason` is why the change was proposed, and `order` stands as it is."""
    variables = {"reason": reason, "version": order.version}
    return Mail("consent_expired", (*buyer(customer), *sales_rep(customer)), variables)


def change_rejected(
    order: Order,
    customer: Customer,
    reason: str,
    *,
    customer_reason: str = "",
    is_customer_notified: bool,
    is_sales_notified: bool = True,
) -> Mail:
    """A change cannot be made, or people of our staff do not want it (any more); `reason` says why, and `order` stands as it is.

    A customer reads `customer_reason` alone: nothing of credit, and nothing that only we know.
    """
    readers = (*(buyer(customer) if is_customer_notified else ()), *(sales_rep(customer) if is_sales_notified else ()))
    variables = {"reason": reason, "customer_reason": customer_reason, "version": order.version}
    return Mail("change_rejected", readers, variables)


def release_resumed(
    order: Order,
    customer: Customer,
    contacts: Contacts,
    reason: str,
    asker: Sequence[Recipient],
    *,
    is_customer_notified: bool,
) -> Mail:
    """The warehouse goes on with the `order` as it stands, although a change is still open; `reason` is why it was asked for."""
    customers = buyer(customer) if is_customer_notified else ()
    readers = reachable([*customers, *asker, *sales_rep(customer)]) or of_sales(customer, contacts)
    return Mail("release_resumed", readers, {"reason": reason, "version": order.version})


def recall_unanswered(
    order: Order, contacts: Contacts, waited: str, *, is_cancellation: bool, is_escalated: bool
) -> Mail:
    """A warehouse has said neither yes nor no to a recall: its manager reads it, and support, too, once it is escalated."""
    readers = [*warehouse_mailbox(contacts), *(support_mailbox(contacts) if is_escalated else ())]
    variables = {
        "waited": waited,
        "is_cancellation": is_cancellation,
        "is_escalated": is_escalated,
        "link": order_page(contacts, order.number),
    }
    return Mail("recall_unanswered", reachable(readers) or support_mailbox(contacts), variables)


def _diff(order: Order, changes: Sequence[Change], before: Money, after: Money, reason: str) -> dict[str, Any]:
    return {
        "customer_name": order.customer_name,
        "version": order.version,
        "reason": reason,
        **listed([asdict(change) for change in changes], "changes", "more_changes"),
        "total_before": amount(before),
        "total_after": amount(after),
        "currency": currency_of(order),
    }
