"""What the lines of a bank account say to programs: its IBAN and BIC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stdnum import bic, iban

_LABEL = re.compile(r"^\s*(?:IBAN|BIC|SWIFT|BIC/SWIFT|SWIFT/BIC)\b[\s:.]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as payment orders name it; the BIC may be empty."""

    iban: str
    bic: str = ""


def account_of(lines: Sequence[str]) -> Account | None:
    """The account that the lines name by an IBAN with right check digits, or None; a BIC counts only where it is called so."""
    ibans = [found for found in (_iban(line) for line in lines) if found]
    return Account(ibans[0], next(filter(None, map(_bic, lines)), "")) if ibans else None


def _iban(line: str) -> str:
    text = "".join(_LABEL.sub("", line).split()).upper()
    return text if iban.is_valid(text, check_country=False) else ""


def _bic(line: str) -> str:
    text = "".join(_LABEL.sub("", line).split()).upper()
    return text if _LABEL.match(line) and bic.is_valid(text) else ""
