"""Mails between sales and the plant about a made-to-order line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from services.orders.domain.mails.mail import Mail, Recipient, iso_day, reachable, zoned_instant
from services.orders.domain.order import Line


def manufacturing_asked(
    line: Line,
    recipients: Iterable[Recipient],
    *,
    requested_on: date | None,
    earliest_on: date | None,
    due: datetime,
    link: str,
) -> Mail:
    """`earliest_on` is what the plant's calendar allows; `due` is in the plant's zone."""
    variables = {
        "sku": line.sku,
        "description": line.description,
        "quantity": line.quantity,
        "requested_on": iso_day(requested_on),
        "earliest_on": iso_day(earliest_on),
        "due": zoned_instant(due),
        "link": link,
    }
    return Mail("manufacturing_asked", reachable(recipients), variables)


def manufacturing_answered(
    line: Line, recipients: Iterable[Recipient], *, requested_on: date | None, ready_on: date | None, note: str
) -> Mail:
    """The plant's answer for staff; without a `ready_on` it was refused."""
    variables = {
        "sku": line.sku,
        "answer": _answer(requested_on, ready_on),
        "ready_on": iso_day(ready_on),
        "note": note,
    }
    return Mail("manufacturing_answered", reachable(recipients), variables)


def _answer(requested_on: date | None, ready_on: date | None) -> str:
    if ready_on is None:
        return "cannot be made"
    if requested_on and ready_on > requested_on:
        return "can be ready, but later than requested"
    return "can be ready as requested" if requested_on else "can be ready"
