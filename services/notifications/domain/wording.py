"""The words of a mail that depend on its reader: how it greets, and which reasons it gives."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.kernel.currencies import DECIMALS
from services.notifications.domain.delivery import Recipient, one_line

WITHHELD = "A pricing or credit reason: please ask sales or accounting"
"""Stands for the reasons that a reader without prices is not given."""

_AMOUNT = re.compile(
    rf"\d\s?(?:%|(?:{'|'.join(sorted(DECIMALS))})\b)|(?:[$€£¥]|\b(?:{'|'.join(sorted(DECIMALS))}))\s?\d"
)


def salutation(recipient: Recipient) -> str:
    """A customer is greeted by the whole name, staff by the first name; "Hello," when no name is known."""
    name = one_line(recipient.name)
    if recipient.role != "customer":
        name = first_name(name)
    if not name:
        return "Hello,"
    return f"Dear {name}," if recipient.role == "customer" else f"Hello {name},"


def first_name(name: str) -> str:
    """The given name in "Max Miller", "Miller, Max" and "Dr. Max Miller"; of a mailbox such as "Accounting" its one word."""
    _, _, given = name.rpartition(",")
    words = given.split() or name.replace(",", " ").split()
    return next((word for word in words if not word.endswith(".")), "")


def names_money(sentence: str) -> bool:
    """Whether a sentence names an amount or a percentage, such as "1,200.00 USD" or "11.2 %"."""
    return _AMOUNT.search(sentence) is not None


def readable_reasons(reasons: Iterable[object], sees_money: bool) -> list[str]:
    """The reasons as a reader may know them: without prices, what names money is replaced by one neutral sentence."""
    said = [str(reason) for reason in reasons]
    kept = [reason for reason in said if sees_money or not names_money(reason)]
    return kept if len(kept) == len(said) else [*kept, WITHHELD]
