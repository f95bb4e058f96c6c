"""Mails about a review: approval requested, reminded, escalated, changes requested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.kernel.formats import amount
from services.orders.domain.mails.mail import Mail, Recipient, reachable, span_text, zoned_instant
from services.orders.domain.order import Order


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision as its readers see it: `step` says what is asked for ("manager approval"), `reasons` are sentences.

    `due` is in the zone whose clock the readers go by. Readers who are customers approve a purchase of their own company:
    they are shown neither step nor reasons.
    """

    step: str
    reasons: tuple[str, ...]
    submitted_by: str
    due: datetime
    link: str


def approval_requested(order: Order, recipients: Iterable[Recipient], asked: Asked) -> Mail:
    """Somebody is to decide."""
    return Mail("approval_requested", reachable(recipients), _asked(order, asked))


def approval_reminder(order: Order, recipients: Iterable[Recipient], asked: Asked, waited: timedelta) -> Mail:
    """The same decision is asked for again."""
    return Mail("approval_reminder", reachable(recipients), {**_asked(order, asked), "waited": span_text(waited)})


def approval_escalated(
    order: Order, recipients: Iterable[Recipient], asked: Asked, waited: timedelta, escalated_from: str
) -> Mail:
    """The decision comes to others, because `escalated_from` (a name, or names) did not take it in time."""
    late = {"waited": span_text(waited), "escalated_from": escalated_from}
    return Mail("approval_escalated", reachable(recipients), {**_asked(order, asked), **late})


def changes_requested(recipients: Iterable[Recipient], *, by: str, note: str, link: str, chain: str) -> Mail:
    """An approver wants the order changed first. A customer reads `by` and `note` only of the buyer's chain, its own people.

    `chain` is seller or buyer.
    """
    return Mail("changes_requested", reachable(recipients), {"by": by, "note": note, "link": link, "chain": chain})


def _asked(order: Order, asked: Asked) -> dict[str, Any]:
    return {
        "customer_name": order.customer_name,
        "po_number": order.po_number,
        "total": amount(order.totals.total),
        "currency": order.currency,
        "step": asked.step,
        "reasons": list(asked.reasons),
        "submitted_by": asked.submitted_by,
        "due": zoned_instant(asked.due),
        "link": asked.link,
    }
