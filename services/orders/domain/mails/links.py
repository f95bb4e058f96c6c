"""Where a mail leads: pages of the console, by their public address."""

from __future__ import annotations

from services.orders.domain.mails.mail import Contacts


def review_page(contacts: Contacts, step_id: str) -> str:
    """Where a step of a review is decided, by staff and by a buyer's own approver alike."""
    return f"{contacts.public_url}/reviews/{step_id}"


def order_page(contacts: Contacts, number: str) -> str:
    """An order as staff sees it, by its number."""
    return f"{contacts.public_url}/orders/{number}"


def return_page(contacts: Contacts, number: str) -> str:
    """A return as staff sees it, by its number."""
    return f"{contacts.public_url}/returns/{number}"


def own_order_page(contacts: Contacts, number: str) -> str:
    """An order as its customer sees it, by its number; an open proposal is answered there."""
    return f"{contacts.public_url}/my/orders/{number}"
