"""The mail of an exchange: what comes in place of goods that a customer sends back."""

from __future__ import annotations

from services.kernel.formats import amount
from services.orders.domain.mails.links import own_order_page, return_page
from services.orders.domain.mails.mail import Contacts, Mail, buyer, listed
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Order
from services.orders.domain.replacements import Replacement
from services.orders.domain.returns import Return


def replacement_mail(found: Return, one: Replacement, order: Order, customer: Customer, contacts: Contacts) -> Mail:
    """What comes, whether before the goods are back, and what it costs where it is another product."""
    rows = [{"sku": line.sku, "description": line.description, "quantity": line.quantity} for line in order.lines]
    variables = {
        "return_number": found.number,
        "replacement_number": order.number,
        "link": own_order_page(contacts, order.number),
        "staff_link": return_page(contacts, found.number),
        "is_advance": one.is_advance,
        "is_billed": one.is_documented,
        "total": amount(order.totals.total),
        "currency": order.currency,
        **listed(rows, "lines", "more_lines"),
    }
    return Mail("return_replaced", buyer(customer), variables)
