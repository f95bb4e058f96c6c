"""Which tax code of the engine a tax category of ours has, as a setting says it."""

from __future__ import annotations

import re
from collections.abc import Mapping

STANDARD_CODES: Mapping[str, str] = {"standard": "P0000000", "zero": "NT", "freight": "FR020100"}
"""AvaTax's codes of tangible goods, of what is not taxable, and of freight by a common carrier."""
_PAIR = re.compile(r"([A-Za-z0-9_.-]{1,64})=([A-Za-z0-9]{1,25})")


def parse_codes(given: str) -> dict[str, str]:
    """Category → code of "reduced=PF050001, food=PF050002" beside the standard ones; ValueError with what is wrong."""
    codes = dict(STANDARD_CODES)
    for pair in filter(None, (part.strip() for part in given.split(","))):
        found = _PAIR.fullmatch(pair)
        if found is None:
            raise ValueError("write category=code, separated by commas: reduced=PF050001, food=PF050002")
        codes[found[1]] = found[2]
    return codes
