"""SKUs of an order that a candidate may not give, as its row keeps them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_


def barred_text(skus: Sequence[str]) -> str:
    """SKUs as a row keeps them, each between line ends; nothing for none."""
    return "".join(f"\n{sku}\n" for sku in skus)


def barred_of(text: str) -> tuple[str, ...]:
    """SKUs as a row kept them."""
    return tuple(text.strip("\n").split("\n\n")) if text else ()


def may_give(barred: ColumnElement[str], sku: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a SKU is none of those that a candidate's row bars."""
    return or_(barred == "", func.replace(barred, "\n" + sku + "\n", "") == barred)
