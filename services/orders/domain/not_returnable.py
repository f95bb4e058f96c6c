"""Articles that are not returnable: refused to customers, and taken by support that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.kernel.errors import NotPermitted, Refused
from services.orders.domain.masterdata import Product
from services.orders.domain.returnable import Returnable
from services.orders.domain.returns import ReturnLine

OVERRIDES = "support"
"""Whose word takes back what is not returnable."""
NOT_RETURNABLE = "NOT_RETURNABLE"
_WHY = "it is not returnable"


def check_returnable(lines: Sequence[ReturnLine], products: Mapping[str, Product], role: str, override: str) -> str:
    """Why a return takes what is not returnable; empty where all of it is. Refused NOT_RETURNABLE, NotPermitted OVERRIDE_NOT_YOURS."""
    if override and role != OVERRIDES:
        raise NotPermitted("OVERRIDE_NOT_YOURS", "only support takes back what is not returnable: ask them")
    found = [line for line in lines if _stays(products.get(line.sku))]
    if found and not override:
        line = found[0]
        way = "say why it comes back all the same" if role == OVERRIDES else "ask support if it came damaged or wrong"
        sentence = f"line {line.line_id} ({line.sku}) is not returnable: {way}"
        raise Refused(NOT_RETURNABLE, sentence, line_id=line.line_id, most="0")
    return override if found else ""


def as_shown(option: Returnable, product: Product | None, role: str) -> Returnable:
    """What a line offers to this role: of an article that is not returnable nothing, but to support."""
    if not _stays(product) or not option.units:
        return option
    units = option.units if role == OVERRIDES else 0
    return replace(option, units=units, reason=NOT_RETURNABLE, why=_WHY)


def _stays(product: Product | None) -> bool:
    return product is not None and not product.is_returnable
