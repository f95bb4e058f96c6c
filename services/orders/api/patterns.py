"""The patterns of figures and codes, and how each is said to a person: what to write, never the pattern."""

from __future__ import annotations

from collections.abc import Mapping

AMOUNT = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$"
PRICE = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$"
FRACTION = r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$"
CURRENCY = r"^[A-Z]{3}$"
COUNTRY = r"^[A-Z]{2}$"
SKU = r"^[A-Za-z0-9][A-Za-z0-9_.\-/]{0,63}$"

SAID: Mapping[str, str] = {
    AMOUNT: "write an amount such as 1329.00: digits, not negative",
    PRICE: "write a price such as 129.00: digits, not negative, at most 6 decimals",
    FRACTION: "write a fraction from 0 to 1, such as 0.0825",
    CURRENCY: "write a currency by its three letters, such as USD",
    COUNTRY: "write a country by its two letters, such as US",
    SKU: "write a SKU of letters, digits and . _ - / without spaces, such as PUMP-100",
}
