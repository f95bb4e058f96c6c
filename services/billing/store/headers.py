"""The columns of an invoice that hold its header."""

from datetime import date
from typing import Any

from sqlalchemy import Row

from services.billing.domain.headers import ADDRESS_PARTS, Address, Header


def values(header: Header) -> dict[str, object]:
    """Column → value."""
    return {
        "po_number": header.po_number,
        "ordered_on": header.ordered_on.isoformat() if header.ordered_on else "",
        "payment_method": header.payment_method,
        "tax_rate": header.tax_rate,
        "tax_on": header.tax_on.isoformat() if header.tax_on else "",
        "tax_exemption": header.tax_exemption,
        "customer_tax_id": header.customer_tax_id,
        "bill_to_name": header.bill_to_name,
        **{f"ship_to_{name}": getattr(header.ship_to, name) for name in ADDRESS_PARTS},
        **{f"billing_{name}": getattr(header.billing_address, name) for name in ADDRESS_PARTS},
    }


def header(row: Row[Any]) -> Header:
    """The header of an invoice's row."""
    return Header(
        po_number=row.po_number,
        bill_to_name=row.bill_to_name,
        ship_to=Address(**{name: getattr(row, f"ship_to_{name}") for name in ADDRESS_PARTS}),
        billing_address=Address(**{name: getattr(row, f"billing_{name}") for name in ADDRESS_PARTS}),
        ordered_on=date.fromisoformat(row.ordered_on) if row.ordered_on else None,
        payment_method=row.payment_method,
        tax_rate=row.tax_rate,
        tax_on=date.fromisoformat(row.tax_on) if row.tax_on else None,
        tax_exemption=row.tax_exemption,
        customer_tax_id=row.customer_tax_id,
    )
