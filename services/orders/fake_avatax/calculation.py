"""What the stand-in calculates: each authority's tax of each line, rounded by itself, as AvaTax does; and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Rates = Mapping[str, tuple[tuple[str, str], ...]]

RATES: Rates = {
    "US-TX": (("TEXAS", "0.0625"), ("DALLAS", "0.01"), ("DALLAS MTA", "0.01")),
    "US-IL": (("ILLINOIS", "0.0625"), ("CHICAGO", "0.0125"), ("COOK", "0.0175"), ("RTA", "0.01")),
    "US-CA": (("CALIFORNIA", "0.06"), ("LOS ANGELES", "0.0025"), ("DISTRICT", "0.0325")),
}
"""Made up. Country and region → authorities with their rates; elsewhere nothing is taxed."""
FREE_FREIGHT = frozenset({"US-CA"})
"""Where freight is not taxed."""
CLOTHING, CLOTHING_FREE_UP_TO = "PC040100", Decimal(110)
"""Clothing is taxed on what a line has beyond a threshold alone, so that no one rate says its tax."""
_CENT = Decimal("0.01")


class Fault(Exception):  # an answer to the client
    """An answer that is no success, as AvaTax writes it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        detail = {"code": code, "message": message, "faultCode": "Client", "severity": "Error"}
        self.body = {"error": {"code": code, "message": message, "target": "HttpRequest", "details": [detail]}}


def transaction(asked: Mapping[str, Any], rates: Rates = RATES) -> dict[str, Any]:
    """The transaction that is asked for, calculated and not kept."""
    if asked.get("type") != "SalesOrder" or not asked.get("lines") or not asked.get("customerCode"):
        raise Fault(400, "ValueRequiredError", "Field type, customerCode and lines are required.")
    place = asked.get("addresses", {}).get("shipTo", {})
    if not place.get("country") or not place.get("postalCode") or place["postalCode"] == "00000":
        raise Fault(
            400, "InvalidPostalCode", f"The address with postal code {place.get('postalCode')} cannot be found."
        )
    where = f"{place['country']}-{place.get('region', '')}".upper()
    is_exempt = bool(asked.get("exemptionNo"))
    lines = [_line(one, where, rates.get(where, ()), is_exempt=is_exempt) for one in asked["lines"]]
    return {
        "id": 0,
        "code": asked.get("code", ""),
        "status": "Temporary",
        "type": "SalesOrder",
        "date": asked["date"],
        "currencyCode": asked["currencyCode"],
        "totalAmount": float(sum(Decimal(str(one["lineAmount"])) for one in lines)),
        "totalTax": float(sum(Decimal(str(one["tax"])) for one in lines)),
        "lines": lines,
    }


def _line(
    asked: Mapping[str, Any], where: str, rates: tuple[tuple[str, str], ...], *, is_exempt: bool
) -> dict[str, Any]:
    amount, code = Decimal(str(asked["amount"])), str(asked.get("taxCode", ""))
    is_free = code == "NT" or (code.startswith("FR") and where in FREE_FREIGHT)
    taxable = Decimal(0) if is_exempt or is_free else amount
    if code == CLOTHING:
        taxable = max(taxable - CLOTHING_FREE_UP_TO, Decimal(0))
    details = [
        {
            "jurisName": name,
            "rate": float(rate),
            "taxableAmount": float(taxable),
            "nonTaxableAmount": float(amount - taxable),
            "tax": float((taxable * Decimal(rate)).quantize(_CENT, ROUND_HALF_UP)),
        }
        for name, rate in rates
    ]
    return {
        "lineNumber": asked["number"],
        "lineAmount": float(amount),
        "taxableAmount": float(taxable),
        "exemptAmount": float(amount - taxable),
        "taxCode": code,
        "tax": float(sum((Decimal(str(one["tax"])) for one in details), Decimal(0))),
        "details": details,
    }
