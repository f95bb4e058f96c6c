"""Mails about an order as a whole: received, accepted, on hold, rejected, canceled, expired, backordered, support case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.kernel.formats import amount
from services.kernel.money import Money, extend, share
from services.orders.domain.consequence import CLOSED_MAIL, PART_MAIL, Consequence
from services.orders.domain.feedback import Feedback
from services.orders.domain.mails.links import order_page, own_order_page
from services.orders.domain.mails.mail import (
    Attachment,
    Contacts,
    Mail,
    Promise,
    Recipient,
    accounting_mailbox,
    bill_to,
    buyer,
    currency_of,
    hold_owners,
    listed,
    reachable,
    sales_rep,
    warehouse_mailbox,
)
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Order
from services.orders.domain.people import Person
from services.orders.domain.projection import Progress, quantities


def order_received(order: Order, customer: Customer, placed_on: date) -> Mail:
    """Email 1: the order is received on a business day; nothing is promised yet. It names no total while nobody knows the tax."""
    lines = [
        {
            "sku": line.sku,
            "description": line.description,
            "quantity": line.quantity,
            "extended": amount(line.extended),
        }
        for line in order.lines
    ]
    variables = {
        "customer_name": order.customer_name,
        "po_number": order.po_number,
        "total": "" if order.taxation.is_pending else amount(order.totals.total),
        "currency": order.currency,
        "placed_on": placed_on.isoformat(),
        **listed(lines, "lines", "more_lines"),
    }
    return Mail("order_received", (*buyer(customer), *sales_rep(customer)), variables)


def order_accepted(order: Order, customer: Customer, promises: Sequence[Promise]) -> Mail:
    """Email 2: the order is accepted, with the promised dates."""
    variables = {
        "customer_name": order.customer_name,
        "total": amount(order.totals.total),
        "currency": order.currency,
        **listed(_promised(order, promises), "promises", "more_lines"),
    }
    return Mail("order_accepted", (*buyer(customer), *sales_rep(customer)), variables)


def _promised(order: Order, promises: Sequence[Promise]) -> list[dict[str, Any]]:
    lines = {line.line_id: (line.sku, line.description) for line in order.lines}
    named = [(promise, *lines.get(promise.line_id, ("", ""))) for promise in promises]
    return [
        {"sku": sku, "description": description, "quantity": promise.quantity, "promised_on": promise.promised_on}
        for promise, sku, description in named
    ]


def order_on_hold(
    order: Order, customer: Customer, contacts: Contacts, holds: Sequence[tuple[str, str]], staff: Sequence[Person]
) -> Mail:
    """`holds` are (owner role, reason), `staff` our active people: whoever may release a hold gets one mail about all of them.

    The customer gets neutral words, other ones when its order has been confirmed before.
    """
    owners = [one for role, _ in holds for one in hold_owners(role, customer, contacts, staff)]
    variables = {
        "reasons": [
            f"{reason.removesuffix('.')} (to be released by {role.replace('_', ' ')})" for role, reason in holds
        ],
        "staff_link": order_page(contacts, order.number),
        "is_confirmed": order.accepted_at is not None,
    }
    return Mail("order_on_hold", reachable([*buyer(customer), *sales_rep(customer), *owners]), variables)


def pro_forma(order: Order, customer: Customer, received: Money) -> Mail | None:
    """What is still to be paid before the order's goods leave, with its part of the tax: of all of it, or of its deposit.

    `received` is what has come for the order; None when nothing is left to pay.
    """
    sums, zero = order.totals, Money.zero(order.currency)
    asked = (order.deposit if order.deposit_terms else sums.total) - received
    if asked.minor <= 0:
        return None
    paid_tax = share(sums.tax, received.minor, sums.total.minor, before=0, given=zero)
    lines = [
        {
            "sku": line.sku,
            "description": line.description,
            "quantity": line.quantity,
            "extended": amount(line.extended),
        }
        for line in order.lines
        if line.quantity
    ]
    variables = {
        "amount": amount(asked),
        "tax": amount(share(sums.tax, asked.minor, sums.total.minor, before=received.minor, given=paid_tax)),
        "received": amount(received) if received.minor else "",
        "total": amount(sums.total),
        "currency": order.currency,
        "po_number": order.po_number,
        "is_deposit": bool(order.deposit_terms),
        **listed(lines, "lines", "more_lines"),
    }
    document = Attachment("pro_forma", order.order_id, f"{order.number}-pro-forma.pdf")
    return Mail("pro_forma", bill_to(customer), variables, document)


def order_rejected(customer: Customer, reasons: Sequence[str]) -> Mail:
    """The order is rejected; only staff read the reasons."""
    return Mail("order_rejected", (*buyer(customer), *sales_rep(customer)), {"reasons": list(reasons)})


def order_cancelled(customer: Customer, reason: str) -> Mail:
    """The order is canceled."""
    return Mail("order_cancelled", (*buyer(customer), *sales_rep(customer)), {"reason": reason})


def units_dropped(
    order: Order, customer: Customer, contacts: Contacts, came: Consequence, *, reason: str, is_at_warehouse: bool
) -> Mail:
    """Units of the `order`, already without them, are canceled or closed as `came` says; the warehouse is told when the order is there."""
    lines = [
        {
            "sku": line.sku,
            "description": line.description,
            "closed" if came.is_closing else "cancelled": line.cancelled,
            "left": line.left,
            "kept": line.kept,
        }
        for line in came.lines
        if line.cancelled or line.kept
    ]
    variables = {
        "customer_name": order.customer_name,
        "version": order.version,
        "reason": reason,
        "total_before": amount(came.total_after + came.total),
        "total_after": amount(came.total_after),
        "freed": amount(came.freed_cash) if came.freed_cash.minor else "",
        "is_kept": came.keeps_cash,
        "currency": currency_of(order),
        **listed(lines, "lines", "more_lines"),
    }
    staff = (*(warehouse_mailbox(contacts) if is_at_warehouse else ()), *accounting_mailbox(contacts))
    kind = CLOSED_MAIL if came.is_closing else PART_MAIL
    return Mail(kind, (*buyer(customer), *sales_rep(customer), *staff), variables)


def order_expired(customer: Customer, reason: str) -> Mail:
    """Nobody decided in time; `reason` is a sentence for staff, the customer reads neutral words."""
    return Mail("order_expired", (*buyer(customer), *sales_rep(customer)), {"reason": reason})


DELAY_MAIL = "backorder_delayed"


def backorder_created(
    order: Order,
    customer: Customer,
    contacts: Contacts,
    waiting: Mapping[str, tuple[int, str]],
    promises: Sequence[Promise] = (),
) -> Mail:
    """`waiting` is line id → (units that wait, ISO date their supply is expected or ""); customers read the day of their promise."""
    promised = {one.line_id: one.promised_on for one in promises if one.is_waiting}
    lines = [
        {
            "sku": line.sku,
            "description": line.description,
            "quantity": waiting[line.line_id][0],
            "expected_on": waiting[line.line_id][1],
            "promised_on": promised.get(line.line_id, waiting[line.line_id][1]),
        }
        for line in order.lines
        if line.line_id in waiting
    ]
    recipients = (*buyer(customer), *sales_rep(customer), *warehouse_mailbox(contacts))
    return Mail("backorder_created", recipients, listed(lines, "lines", "more_lines"))


def backorder_delayed(order: Order, customer: Customer, contacts: Contacts, slips: Sequence[Promise]) -> Mail:
    """Units that wait come later than the customer was told: each reads it once in words of its own."""
    lines = {line.line_id: line for line in order.lines}
    rows = [
        {
            "sku": lines[one.line_id].sku,
            "description": lines[one.line_id].description,
            "quantity": one.quantity,
            "was_on": one.notified_on,
            "promised_on": one.promised_on,
            "expected_on": one.expected_on,
            "reference": one.reference,
        }
        for one in slips
        if one.line_id in lines
    ]
    worth = Money.total(
        (extend(lines[one.line_id].unit_price, one.quantity) for one in slips if one.line_id in lines), order.currency
    )
    variables = {
        **listed(rows, "lines", "more_lines"),
        "customer_name": order.customer_name,
        "value": amount(worth),
        "currency": order.currency,
        "own_link": own_order_page(contacts, order.number),
        "staff_link": order_page(contacts, order.number),
    }
    return Mail(DELAY_MAIL, (*buyer(customer), *sales_rep(customer), *warehouse_mailbox(contacts)), variables)


def waiting_units(order: Order, progress: Progress) -> dict[str, tuple[int, str]]:
    """Line id → (units that wait for supply, ISO date expected or ""), as inventory reported."""
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


def still_promised(order: Order, promises: Sequence[Promise]) -> tuple[Promise, ...]:
    """The promises as far as the order still wants the units, earliest given first; none of a line that is gone."""
    left = {line.line_id: line.quantity for line in order.lines}
    kept = []
    for promise in promises:
        quantity = min(promise.quantity, left.get(promise.line_id, 0))
        if quantity:
            left[promise.line_id] -= quantity
            kept.append(replace(promise, quantity=quantity))
    return tuple(kept)
