"""VAT in the EU: its rates by country and category, and whether a VAT number is one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from eu_vat_rates_data import get_all_rates
from stdnum.eu import vat

_GREECE = "EL"
"""What VAT numbers call GR."""


@cache
def rates() -> Mapping[str, Mapping[str, Decimal]]:
    """EU country (ISO 3166) → category → rate: standard, and those of reduced (the highest), super_reduced and parking that it has."""
    found: dict[str, dict[str, Decimal]] = {}
    for country, rate in get_all_rates().items():
        if not rate["eu_member"]:
            continue
        known = {
            "standard": rate["standard"],
            "reduced": max(rate["reduced"], default=None),
            "super_reduced": rate["super_reduced"],
            "parking": rate["parking"],
        }
        found[country] = {name: Decimal(str(percent)) / 100 for name, percent in known.items() if percent is not None}
    return found


def looks_like_number(tax_id: str) -> bool:
    """Whether a tax number begins as the VAT number of an EU country does."""
    return _country(tax_id) in rates() and len(_plain(tax_id)) > len("XX")


def country_of(tax_id: str) -> str:
    """The EU country whose VAT number it is, by its form and check digits; empty for any other number."""
    return _country(tax_id) if looks_like_number(tax_id) and vat.is_valid(tax_id) else ""


def _country(tax_id: str) -> str:
    code = _plain(tax_id)[:2]
    return "GR" if code == _GREECE else code


def _plain(tax_id: str) -> str:
    return "".join(tax_id.split()).upper()
