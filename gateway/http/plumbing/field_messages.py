"""What a member of a request must be, in words: nobody has to read a regular expression to correct what they sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.http.plumbing.inputs import EMAIL, IDENTITY, PRINTABLE, SOLID, SUBJECT

_LONGEST = 300
_WORD = "must be lower-case words joined by underscores, such as sales_manager"
_CODE = "must be two capital letters, such as US"
_AMOUNT = (
    "must be an amount of at least 0 as text, without thousands separators and with at most {} decimals, such as {}"
)
_PATTERNS = {
    r"^(100(\.0{1,4})?|[1-9]?[0-9](\.[0-9]{1,4})?)$": "must be a percentage of 0 to 100, such as 15 or 7.5",
    r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$": "must be an amount of 0 or more, such as 500.00",
    r"^([1-9][0-9]?(\.[0-9]{1,2})?|0\.[0-9]{1,2}|100)$": "must be a percentage above 0 and up to 100, such as 30 or 12.5",
    IDENTITY: "must begin with a letter or digit and go on with letters, digits and _ . : -",
    SUBJECT: "must begin with a letter or digit and go on with letters, digits and _ . : @ | + -",
    f"^$|{SUBJECT}": "must be empty, or begin with a letter or digit and go on with letters, digits and _ . : @ | + -",
    PRINTABLE: "must be text of one line without control or invisible characters",
    SOLID: "must be text of one line that neither begins nor ends with a blank, without control or invisible characters",
    r"^[A-Za-z0-9][A-Za-z0-9_.\-/]{0,63}$": "must begin with a letter or digit and go on with letters, digits and _ . - /",
    r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$": "must begin with a letter or digit and go on with letters, digits, spaces and . _ / -",
    EMAIL: "must be an e-mail address, such as ann@acme.example",
    f"^$|{EMAIL}": "must be an e-mail address, such as ann@acme.example, or empty",
    r"^[A-Z]{3}$": "must be a currency of three capital letters, such as USD",
    r"^[A-Z]{2}$": _CODE,
    r"^([A-Z]{2}(-[A-Z0-9]{1,6})?)?$": "must be a country, or a part of one, in capital letters, such as US or US-TX, or empty",
    r"^[0-9A-Za-z][0-9A-Za-z%@./ ,]*$": "must be payment terms, such as net 30, 2/10 net 30, eom 15 or 50%@30 50%@60",
    r"^([A-Z]{2})?$": f"{_CODE}, or empty",
    r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$": _AMOUNT.format(3, "1329.00"),
    r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$": _AMOUNT.format(6, "129.00"),
    r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,10})?$": _AMOUNT.format(10, "3.2485"),
    r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$": "must be a fraction from 0 to 1 as text, such as 0.0825 for 8.25 %",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "must be a time of day from 00:00 to 23:59, such as 09:00",
    r"^[A-Za-z][A-Za-z0-9_+/\-]*$": "must be the name of a time zone, such as America/Chicago",
    r"^[A-Z0-9-]{0,10}$": "must be a subdivision in capital letters and digits, such as TX, or empty",
    r"^[A-Z0-9 -]{0,12}$": "must be the beginning of postal codes in capital letters and digits, such as 75, or empty",
    r"^[A-Z0-9]{0,8}$": "must be a region in capital letters and digits, such as TX, or empty",
    r"^(\*|[A-Z0-9]{1,8})$": "must be a region in capital letters and digits, such as TX, or * for all",
    r"^[A-Z][A-Z0-9_]{1,63}$": "must be a code in capital letters, digits and underscores, such as PRICE_MISSING",
    r"^[a-z][a-z0-9_]{0,39}$": _WORD,
    r"^[a-z][a-z_]{0,39}$": _WORD,
    r"^([a-z][a-z0-9_]{0,39})?$": f"{_WORD}, or empty",
    r"^([a-z][a-z_]{0,31})?$": f"{_WORD}, or empty",
    r"^[1-9][0-9]{0,5}$": "must be the number of a line, such as 2",
    r"^[0-9]{1,9}$": "must be a whole number of at most nine digits",
    r'^"?[0-9]{1,9}"?$': 'must be the version of the order that you have seen, such as 2 or "2"',
    r"^pm_[A-Za-z0-9_]{1,200}$": "must be the payment provider's token of a card, such as pm_card_visa: never its number",
    r"^[!-~]*$": "must be given back as it was given, or left out",
    r"^[!-~]{1,128}$": "must be 1 to 128 letters, digits and signs without blanks",
}
_OTHERS = {
    "missing": "is needed: write it",
    "extra_forbidden": "is not known here: leave it out",
    "int_type": "must be a whole number without quotes, such as 2",
    "int_from_float": "must be a whole number, such as 2",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false, without quotes",
    "list_type": "must be a list",
    "model_type": "must be an object with named members",
    "model_attributes_type": "must be an object with named members",
    "dict_type": "must be an object with named members",
}
_BOUNDS = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
}


def sentence(entry: Mapping[str, Any]) -> str:
    """What to write instead of what pydantic refused, bounded; it never repeats what was sent."""
    kind, context = str(entry["type"]), entry.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context.get("pattern")), "has characters, or an order of them, that this cannot have")
    if kind in ("literal_error", "enum"):
        return f"must be one of {str(context.get('expected')).replace(chr(39), '').replace(' or ', ', ')}"[:_LONGEST]
    if kind == "string_too_short" and context.get("min_length") == 1:
        return "must not be empty"
    if kind == "too_short" and context.get("min_length") == 1:
        return "must have at least one entry"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    return _OTHERS.get(kind, str(entry["msg"]).removeprefix("Value error, "))[:_LONGEST]
