"""What `oms returns` says of exchanges: what replaces goods, and the orders that bring it."""

from __future__ import annotations

from typing import Any

from cli.changes import counted
from cli.output import console


def replaced(given: str) -> tuple[str, dict[str, Any]]:
    """Line id and what replaces it: "1" the same product, "1=SKU" another one, "1=SKU:2" two of it."""
    line_id, _, wanted = given.partition("=")
    sku, _, units = wanted.partition(":")
    return line_id, {**({"sku": sku} if sku else {}), **({"quantity": counted(units)} if units else {})}


def print_exchange(one: dict[str, Any]) -> None:
    """What comes in place of the goods of a return, and with which order."""
    out = console()
    for line in one["lines"]:
        if line["replace"]:
            price = f" at {line['replace']['unit_price']} each" if line["replace"]["unit_price"] else " at no charge"
            out.print(
                f"- line {line['line_id']}: replaced by {line['replace']['quantity']} {line['replace']['sku']}{price}"
            )
    for each in one["replacements"]:
        how = "in advance" if each["is_advance"] else "for what was counted"
        out.print(f"- {one['number']} → {each['order_number']}: {each['units']} units {how}")
