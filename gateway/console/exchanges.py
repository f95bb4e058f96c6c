"""What a page says of exchanges: what a customer wants in place of goods that come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel.errors import InvalidArgument


def replaced(fields: Mapping[str, str], line_id: str) -> dict[str, Any]:
    """As the API takes it: nothing for a refund, and with a SKU for another product."""
    choice, sku = fields.get(f"instead-{line_id}", "refund"), fields.get(f"sku-{line_id}", "").strip()
    if choice == "same":
        return {"replace": {}}
    if choice != "other":
        return {}
    if not sku:
        raise InvalidArgument("SKU_MISSING", f"line {line_id}: enter the SKU of what you want instead")
    return {"replace": {"sku": sku}}
