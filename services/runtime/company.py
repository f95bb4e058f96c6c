"""The selling company as its databases know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """Where it sells from (ISO 3166), and the countries to which its documents round the tax of each line."""

    country: str = "US"
    tax_per_line: frozenset[str] = frozenset()
