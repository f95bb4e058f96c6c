"""How an order is taxed, as its row, its lines and its versions keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from services.kernel.money import Money
from services.kernel.tax import TaxKind, TaxPart, parts_of_one_rate
from services.orders.domain.order import Line, Order, Totals
from services.orders.domain.tax_parts import DEFAULT_TAXATION, OWN_RATES, Taxation
from services.orders.domain.taxation import TaxExemption

_AMOUNTS = ("merchandise", "discount", "freight", "tax")
_KEPT_KINDS = 1024
"""Thousands of lines are taxed in few ways."""


def document(order: Order) -> dict[str, Any]:
    """How an order is taxed beside its lines, as JSON keeps it."""
    taxation = order.taxation
    return {
        "freight": _kind_document(taxation.freight) if taxation.freight else None,
        "is_per_line": taxation.is_per_line,
        "tax_on": taxation.tax_on.isoformat() if taxation.tax_on else "",
        "exemption": taxation.exemption,
        **({"source": taxation.source} if taxation.source else {}),
        "parts": [
            {"key": part.key, **_kind_document(part.kind), **{name: getattr(part, name).minor for name in _AMOUNTS}}
            for part in order.totals.parts
        ],
    }


def taxation_of(kept: Mapping[str, Any] | None) -> Taxation:
    """From what document() gave; an order of before there were rules has none."""
    if kept is None:
        return DEFAULT_TAXATION
    return Taxation(
        _kind(kept["freight"]) if kept["freight"] else None,
        kept["is_per_line"],
        date.fromisoformat(kept["tax_on"]) if kept["tax_on"] else None,
        kept["exemption"],
        kept.get("source", OWN_RATES),
    )


def totals_of(amounts: Mapping[str, Money], kept: Mapping[str, Any] | None, tax_rate: Decimal) -> Totals:
    """The totals of an order with its parts; those of one from before there were parts follow from its one rate."""
    if kept is None:
        merchandise, discount, freight, tax = (amounts[name] for name in _AMOUNTS)
        parts = parts_of_one_rate(merchandise, discount, freight, tax, tax_rate)
    else:
        currency = amounts["tax"].currency
        parts = tuple(_part(one, currency) for one in kept["parts"])
    return Totals(**amounts, parts=parts)


def line_values(line: Line) -> dict[str, str]:
    """How a line is taxed: column → value."""
    kind = line.tax
    return {
        "tax_category": line.tax_category,
        "tax_code": kind.code,
        "tax_rate": f"{kind.rate:f}",
        "tax_reason": kind.reason,
    }


@lru_cache(_KEPT_KINDS)
def line_kind(code: str, rate: str, reason: str, order_rate: Decimal) -> TaxKind:
    """How a line is taxed; one of before that was kept has no code, and its order's rate."""
    return TaxKind(code, Decimal(rate), reason) if code else TaxKind.at(order_rate)


def _part(kept: Mapping[str, Any], currency: str) -> TaxPart:
    return TaxPart(kept["key"], _kind(kept), *(Money(kept[name], currency) for name in _AMOUNTS))


def _kind_document(kind: TaxKind) -> dict[str, str]:
    return {"code": kind.code, "rate": f"{kind.rate:f}", "reason": kind.reason}


def _kind(kept: Mapping[str, Any]) -> TaxKind:
    return TaxKind(kept["code"], Decimal(kept["rate"]), kept["reason"])


def exemption_documents(exemptions: Iterable[TaxExemption]) -> list[dict[str, str]]:
    """Certificates of a customer, as JSON keeps them."""
    return [
        {
            "certificate": one.certificate,
            "country": one.country,
            "region": one.region,
            "valid_from": one.valid_from.isoformat(),
            "valid_to": one.valid_to.isoformat() if one.valid_to else "",
        }
        for one in exemptions
    ]


def exemptions_of(kept: Iterable[Mapping[str, str]]) -> tuple[TaxExemption, ...]:
    """From what exemption_documents() gave."""
    return tuple(
        TaxExemption(
            one["certificate"],
            one["country"],
            date.fromisoformat(one["valid_from"]),
            one["region"],
            date.fromisoformat(one["valid_to"]) if one["valid_to"] else None,
        )
        for one in kept
    )
