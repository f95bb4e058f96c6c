"""Which mail goes to whom, with what it says; amounts and dates as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.money import Money
from services.orders.domain.feedback import Feedback
from services.orders.domain.master import Customer
from services.orders.domain.order import Order
from services.orders.domain.projection import Fact, Progress, quantities


@dataclass(frozen=True, slots=True)
class Contacts:
    """Mailboxes of our own house, and where a customer leaves feedback ("{order_id}" is replaced; blank: by mail)."""

    warehouse_manager: str
    accounting: str
    support: str
    feedback_url: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is told; the role chooses the text."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A notification to be handed to notifications; without recipients none is sent."""

    kind: str
    recipients: tuple[Recipient, ...]
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Promise:
    """When some units of a line are promised; promised_on is an ISO date, empty while supply has none."""

    line_id: str
    quantity: int
    promised_on: str


def printed(money: Money) -> str:
    """The amount as people read it, without its currency: "1,329.00" for 132900 minor units of USD."""
    return f"{money.amount:,f}"


def order_received(order: Order, customer: Customer) -> Mail:
    """E-mail 1: it has arrived; nothing is promised yet."""
    lines = [
        {
            "sku": line.sku,
            "description": line.description,
            "quantity": line.quantity,
            "extended": printed(line.extended),
        }
        for line in order.lines
    ]
    variables = {
        "customer_name": order.customer_name,
        "po_number": order.po_number,
        "total": printed(order.totals.total),
        "currency": order.currency,
        "placed_on": order.placed_at.date().isoformat(),
        "lines": lines,
    }
    return Mail("order_received", (*_buyer(customer), *_sales_rep(customer)), variables)


def order_accepted(order: Order, customer: Customer, promises: Sequence[Promise]) -> Mail:
    """E-mail 2: it is accepted, with the dates we promise."""
    variables = {
        "customer_name": order.customer_name,
        "total": printed(order.totals.total),
        "currency": order.currency,
        "promises": [_promised(order, promise) for promise in promises],
    }
    return Mail("order_accepted", (*_buyer(customer), *_sales_rep(customer)), variables)


def _promised(order: Order, promise: Promise) -> dict[str, Any]:
    line = next((line for line in order.lines if line.line_id == promise.line_id), None)
    return {
        "sku": line.sku if line else "",
        "description": line.description if line else "",
        "quantity": promise.quantity,
        "promised_on": promise.promised_on,
    }


def order_on_hold(customer: Customer, contacts: Contacts, holds: Sequence[tuple[str, str]]) -> Mail:
    """`holds` are (owner role, reason); accounting and support are told of theirs, the customer reads neutral words."""
    owners = {owner for owner, _ in holds}
    staff = [Recipient(contacts.accounting, "Accounting", "accounting")] if "accounting" in owners else []
    if owners & {"support", "approver", "admin"}:
        staff.append(Recipient(contacts.support, "Support", "support"))
    recipients = (*_buyer(customer), *_sales_rep(customer), *(one for one in staff if one.email))
    return Mail("order_on_hold", recipients, {"reasons": [reason for _, reason in holds]})


def order_rejected(customer: Customer, reasons: Sequence[str]) -> Mail:
    """The order is refused."""
    return Mail("order_rejected", (*_buyer(customer), *_sales_rep(customer)), {"reasons": list(reasons)})


def order_cancelled(customer: Customer, reason: str) -> Mail:
    """The order will not come."""
    return Mail("order_cancelled", (*_buyer(customer), *_sales_rep(customer)), {"reason": reason})


def backorder_created(
    order: Order, customer: Customer, contacts: Contacts, waiting: Mapping[str, tuple[int, str]]
) -> Mail:
    """`waiting` is line id → (units that wait, ISO date expected or "")."""
    lines = [
        {
            "sku": line.sku,
            "description": line.description,
            "quantity": waiting[line.line_id][0],
            "expected_on": waiting[line.line_id][1],
        }
        for line in order.lines
        if line.line_id in waiting
    ]
    floor = Recipient(contacts.warehouse_manager, "Warehouse manager", "warehouse_manager")
    recipients = (*_buyer(customer), *_sales_rep(customer), *((floor,) if floor.email else ()))
    return Mail("backorder_created", recipients, {"lines": lines})


def waiting_units(order: Order, progress: Progress) -> dict[str, tuple[int, str]]:
    """Line id → (units that wait for supply, ISO date expected or ""), as inventory told."""
    lines = quantities(order, progress)
    return {key: (line.backordered, line.expected_on) for key, line in lines.items() if line.backordered}


def support_case(order: Order, support_email: str, given: Feedback) -> Mail:
    """Support must act on what a customer said of its order."""
    variables = {
        "case_number": given.case_number,
        "rating": given.opinion.rating,
        "comment": given.opinion.comment,
        "customer_name": order.customer_name,
    }
    return Mail("support_case", (Recipient(support_email, "Support", "support"),) if support_email else (), variables)


def told_by(fact: Fact, order: Order, customer: Customer, contacts: Contacts, *, is_last_delivery: bool) -> Mail | None:
    """The mail that a fact owes people: shipped, delivered, invoice or payment_received; None for all other kinds.

    A service visit is done and over, so it is told once, as delivered. Only the last delivery invites to give feedback.
    """
    match fact.kind:
        case "shipment_shipped":
            return None if fact.detail["shipment"]["is_service"] else _shipped(fact, customer)
        case "shipment_delivered":
            url = _feedback_url(contacts, order) if is_last_delivery else ""
            return _delivered(fact, customer, url, contacts.support)
        case "invoice_issued":
            return _invoice(fact, customer)
        case "payment_received":
            amount = Money(int(fact.detail["amount_minor"]), str(fact.detail["currency"]))
            numbers = [invoice["number"] for invoice in fact.detail["invoices"]]
            said = {"amount": printed(amount), "currency": amount.currency, "invoices": numbers}
            return Mail("payment_received", _bill_to(customer), said)
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
    return Mail("shipped", _buyer(customer), {**variables, "lines": contents})


def _delivered(fact: Fact, customer: Customer, feedback_url: str, support_email: str) -> Mail:
    shipment = fact.detail["shipment"]
    variables = {
        "shipment_number": shipment["number"],
        "is_service": shipment["is_service"],
        "feedback_url": feedback_url,
        "support_email": support_email,
    }
    return Mail("delivered", _buyer(customer), variables)


def _invoice(fact: Fact, customer: Customer) -> Mail:
    invoice = fact.detail["invoice"]
    total = Money(int(invoice["total_minor"]), str(invoice["currency"]))
    variables = {"total": printed(total), "currency": total.currency, "due_on": invoice["due_on"]}
    return Mail("invoice", _bill_to(customer), {"invoice_number": invoice["number"], **variables})


def _buyer(customer: Customer) -> tuple[Recipient, ...]:
    return (Recipient(customer.contact_email, customer.name, "customer"),) if customer.contact_email else ()


def _bill_to(customer: Customer) -> tuple[Recipient, ...]:
    email = customer.accounting_email or customer.contact_email
    return (Recipient(email, customer.name, "customer"),) if email else ()


def _sales_rep(customer: Customer) -> tuple[Recipient, ...]:
    email = customer.sales_rep_email
    return (Recipient(email, customer.sales_rep or email, "sales_rep"),) if email else ()
