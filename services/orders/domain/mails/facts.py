"""What people are told when a neighbour tells a fact: shipped, delivered, invoiced, paid."""

from __future__ import annotations

from typing import Any

from services.kernel.money import Money
from services.orders.domain.mails.letter import (
    Contacts,
    Mail,
    bill_to,
    buyer,
    floor,
    help_desk,
    printed,
    reachable,
    sales_rep,
)
from services.orders.domain.master import Customer
from services.orders.domain.order import Order
from services.orders.domain.projection import Fact

EXCEPTION = "shipment_exception"
TOLD_KINDS = frozenset({"shipment_shipped", "shipment_delivered", EXCEPTION, "invoice_issued", "payment_received"})
"""Facts of which people may be told."""


def told_by(fact: Fact, order: Order, customer: Customer, contacts: Contacts, *, is_last_delivery: bool) -> Mail | None:
    """The mail that a fact owes people: shipped, delivered, a problem, invoice or payment_received; None for all other kinds.

    A service visit is done and over, so it is told once, as delivered. Only the last delivery invites to give feedback.
    """
    match fact.kind:
        case "shipment_shipped":
            return None if fact.detail["shipment"]["is_service"] else _shipped(fact, customer)
        case "shipment_delivered":
            url = _feedback_url(contacts, order) if is_last_delivery else ""
            return _delivered(fact, customer, url, contacts.support)
        case "shipment_exception":
            return _exception(fact, order, customer, contacts)
        case "invoice_issued":
            return _invoice(fact, customer)
        case "payment_received":
            amount = Money(int(fact.detail["amount_minor"]), str(fact.detail["currency"]))
            numbers = [invoice["number"] for invoice in fact.detail["invoices"]]
            said = {"amount": printed(amount), "currency": amount.currency, "invoices": numbers}
            return Mail("payment_received", bill_to(customer), said)
    return None


def _feedback_url(contacts: Contacts, order: Order) -> str:
    """The house's page for feedback; without one, a mail to support, who enters it for the customer."""
    if contacts.feedback_url:
        return contacts.feedback_url.format(order_id=order.order_id)
    return f"mailto:{contacts.support}?subject=Rating%20of%20order%20{order.number}%20from%201%20to%205"


def _shipped(fact: Fact, customer: Customer) -> Mail:
    shipment = fact.detail["shipment"]
    names = ("carrier", "tracking_number", "promised_on")
    variables: dict[str, Any] = {"shipment_number": shipment["number"], **{name: shipment[name] for name in names}}
    contents = [{name: line[name] for name in ("sku", "description", "quantity")} for line in shipment["lines"]]
    return Mail("shipped", buyer(customer), {**variables, "lines": contents})


def _delivered(fact: Fact, customer: Customer, feedback_url: str, support_email: str) -> Mail:
    shipment = fact.detail["shipment"]
    variables = {
        "shipment_number": shipment["number"],
        "is_service": shipment["is_service"],
        "feedback_url": feedback_url,
        "support_email": support_email,
    }
    return Mail("delivered", buyer(customer), variables)


def _exception(fact: Fact, order: Order, customer: Customer, contacts: Contacts) -> Mail:
    shipment = fact.detail["shipment"]
    variables = {
        "shipment_number": shipment["number"],
        "carrier": shipment["carrier"],
        "tracking_number": shipment["tracking_number"],
        "customer_name": order.customer_name,
    }
    ours = (*sales_rep(customer), *help_desk(contacts), *floor(contacts))
    return Mail(EXCEPTION, reachable([*buyer(customer), *ours]), variables)


def _invoice(fact: Fact, customer: Customer) -> Mail:
    invoice = fact.detail["invoice"]
    total = Money(int(invoice["total_minor"]), str(invoice["currency"]))
    variables = {"total": printed(total), "currency": total.currency, "due_on": invoice["due_on"]}
    return Mail("invoice", bill_to(customer), {"invoice_number": invoice["number"], **variables})
