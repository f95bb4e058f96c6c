"""AvaTax's documents: what it is asked as JSON, and what of its answers counts. Whatever cannot be right is no answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.kernel.currencies import DECIMALS
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.orders.domain.order import Address
from services.orders.domain.tax_engine import EngineAway, EngineRefused, EngineTax, TaxAnswer, TaxQuery

FREIGHT = "freight"
"""The line of the freight, and the category that has its code."""
_UNREADABLE = "gives an answer that cannot be read"
_MOST_WORDS = 200
_ABOUT_ADDRESSES = ("address", "postal", "zip", "region", "city", "country", "jurisdiction")


def body_of(query: TaxQuery, company: str, ships_from: Address, codes: Mapping[str, str]) -> dict[str, Any]:
    """The document that is asked for; EngineRefused for a category that has no code, which nobody taxes as another one.

    What goes nowhere, services alone, is taxed where it is sold from.
    """
    lines = [
        {
            "number": line.line_id,
            "quantity": line.quantity,
            "amount": float(line.net.amount),
            "itemCode": line.sku[:50],
            "taxCode": _code(codes, line.category),
        }
        for line in query.lines
    ]
    if query.freight is not None:
        freight = float(query.freight.amount)
        lines.append({"number": FREIGHT, "quantity": 1, "amount": freight, "taxCode": _code(codes, FREIGHT)})
    place = query.place if query.place.country else ships_from
    body = {
        "type": "SalesOrder",
        "companyCode": company,
        "customerCode": query.customer_id,
        "date": query.on.isoformat(),
        "currencyCode": query.currency,
        "exemptionNo": query.exemption,
        "businessIdentificationNo": query.tax_id,
        "addresses": {"shipFrom": _address(ships_from), "shipTo": _address(place)},
        "lines": lines,
    }
    same = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {**{name: value for name, value in body.items() if value != ""}, "code": f"oms-{same[:32]}"}


def answer_of(content: bytes, query: TaxQuery) -> TaxAnswer:
    """The tax of every line that was asked for; EngineAway for anything else than that."""
    document = _document(content)
    found = {str(line.get("lineNumber")): line for line in _list_of(document, "lines")}
    asked = {line.line_id: line.net for line in query.lines}
    if query.freight is not None:
        asked[FREIGHT] = query.freight
    if found.keys() != asked.keys() or str(document.get("currencyCode", query.currency)) != query.currency:
        raise EngineAway(_UNREADABLE)
    taxes = {name: _tax(found[name], net) for name, net in asked.items()}
    total = Money.total((one.tax for one in taxes.values()), query.currency)
    if abs(_money(document, "totalTax", query.currency).minor - total.minor) > len(taxes):
        raise EngineAway("gives an answer whose taxes do not sum to its total")
    freight = taxes.pop(FREIGHT, None)
    return TaxAnswer(taxes, freight)


def refusal_of(status: int, content: bytes) -> EngineAway | EngineRefused:
    """What an answer that is no success means: 400 and the like are about what was asked, the rest about the engine or our key."""
    if status in (401, 403):
        return EngineAway("does not accept our key")
    if status not in (400, 404, 409, 422):
        return EngineAway(f"answers {status}")
    try:
        error = _document(content).get("error")
    except EngineAway:
        error = None
    if not isinstance(error, dict):
        return EngineAway(f"answers {status} with nothing that can be read")
    code, words = str(error.get("code") or ""), " ".join(str(error.get("message") or "").split())
    details = error.get("details")
    about = [
        code,
        *(
            str(one.get("code") or "")
            for one in (details if isinstance(details, list) else [])
            if isinstance(one, dict)
        ),
    ]
    is_address = any(word in name.lower() for name in about for word in _ABOUT_ADDRESSES)
    return EngineRefused((words or code or f"status {status}")[:_MOST_WORDS].rstrip("."), is_address=is_address)


def _code(codes: Mapping[str, str], category: str) -> str:
    if category not in codes:
        raise EngineRefused(f"the tax category {category!r} has no code in OMS_TAX_ENGINE_CODES")
    return codes[category]


def _address(place: Address) -> dict[str, str]:
    given = {
        "line1": place.street,
        "city": place.city,
        "region": place.region,
        "postalCode": place.postal_code,
        "country": place.country,
    }
    return {name: value for name, value in given.items() if value}


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as unreadable:
        raise EngineAway(_UNREADABLE) from unreadable
    if not isinstance(document, dict):
        raise EngineAway(_UNREADABLE)
    return document


def _list_of(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = document.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise EngineAway(_UNREADABLE)
    return rows


def _tax(line: Mapping[str, Any], net: Money) -> EngineTax:
    """The tax of a line, which is neither negative nor more than what it is on, and the rates of what it taxes, summed up."""
    tax = _money(line, "tax", net.currency)
    if not 0 <= tax.minor <= net.minor:
        raise EngineAway("gives a tax that is more than the goods, or less than nothing")
    details = _list_of(line, "details") if line.get("details") is not None else []
    rate = sum((_number(row, "rate") for row in details if _number(row, "tax")), Decimal(0))
    return EngineTax(tax, rate)


def _money(row: Mapping[str, Any], name: str, currency: str) -> Money:
    """An amount, rounded half up where the engine has more digits than the currency."""
    try:
        minor = _number(row, name).scaleb(DECIMALS[currency]).quantize(Decimal(1), ROUND_HALF_UP)
        return Money(int(minor), currency)
    except (ArithmeticError, InvalidArgument) as unreadable:
        raise EngineAway(_UNREADABLE) from unreadable


def _number(row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise EngineAway(_UNREADABLE)
    return value
