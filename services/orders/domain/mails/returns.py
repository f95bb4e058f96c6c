"""Mails about a return: requested, authorized, denied, received, credited, canceled, expired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.kernel.formats import amount
from services.kernel.money import Money
from services.orders.domain.mails.links import own_order_page, return_page
from services.orders.domain.mails.mail import (
    Attachment,
    Contacts,
    Mail,
    buyer,
    listed,
    sales_rep,
    support_mailbox,
    warehouse_mailbox,
    zoned_instant,
)
from services.orders.domain.masterdata import Customer
from services.orders.domain.returns import (
    AUTHORIZED,
    CANCELLED,
    CLOSED,
    DENIED,
    EXPIRED,
    REQUESTED,
    Inspection,
    Return,
    ReturnLine,
)


def return_mails(before: Return | None, after: Return, customer: Customer, contacts: Contacts) -> tuple[Mail, ...]:
    """The mails of what happened to a return, in the order in which it did; `before` is None for one that is new.

    A return that is authorized at once has one mail, of both. One that is closed ends with the mail of its last credit.
    """
    mails: list[Mail] = []
    if after.state != (before.state if before else ""):
        mails += _decided(after, customer, contacts)
    if after.received > (before.received if before else 0):
        mails.append(_received(before, after, customer))
    mails += [_credited(one, after, customer) for one in _newly_credited(before, after)]
    if before is not None and after.state != before.state and after.state in (CANCELLED, EXPIRED):
        mails.append(_ended(before, after, customer, contacts))
    return tuple(mails)


def _decided(after: Return, customer: Customer, contacts: Contacts) -> list[Mail]:
    """The mails of a return that came to wait for support, or was decided."""
    if after.state == REQUESTED:
        readers = (*buyer(customer), *support_mailbox(contacts))
        asked = {
            **_about(after, contacts),
            "customer_name": customer.name,
            "reason": after.reason,
        }
        return [Mail("return_requested", readers, asked)]
    if after.state == AUTHORIZED and not after.arrived_in and not after.is_kept:
        if after.is_intercepted:  # nobody sends it, so only the warehouse is to know of a return
            return [
                Mail("shipment_intercepted", buyer(customer), _about(after, contacts)),
                Mail("return_authorized", warehouse_mailbox(contacts), {**_about(after, contacts), "send_by": ""}),
            ]
        send_by = zoned_instant(after.valid_until) if after.valid_until else ""
        granted = {**_about(after, contacts), "send_by": send_by}
        label = Attachment("return_label", after.return_id, f"{after.number}-label.pdf")
        return [Mail("return_authorized", (*buyer(customer), *warehouse_mailbox(contacts)), granted, label)]
    if after.state == DENIED:
        said = {**_about(after, contacts), "reason": after.decision_note, "support_email": contacts.support}
        return [Mail("return_denied", (*buyer(customer), *sales_rep(customer)), said)]
    return []


def _received(before: Return | None, after: Return, customer: Customer) -> Mail:
    """What has come now is listed; what came before and what is still awaited are counted."""
    had = {line.line_id: line.received for line in before.lines} if before else {}
    now = {line.line_id: line.received - had.get(line.line_id, 0) for line in after.lines}
    variables = {
        "return_number": after.number,
        "received": after.received,
        "announced": after.announced,
        "is_complete": after.received >= after.announced,
        **_listed(after.lines, now),
    }
    return Mail("return_received", buyer(customer), variables)


def _newly_credited(before: Return | None, after: Return) -> list[Inspection]:
    """What was credited now; nothing is told where no credit note was made: all was replaced, or credited before it came."""
    known = {one.inspection_id for one in before.inspections if one.credited_at} if before else set()
    return [one for one in after.inspections if one.credited_at and one.credit_notes and one.inspection_id not in known]


def _credited(one: Inspection, after: Return, customer: Customer) -> Mail:
    zero = Money.zero(after.currency)
    gross, fee = one.credited or zero, one.fee or zero
    variables = {
        "return_number": after.number,
        "credit_notes": list(one.credit_notes),
        "total": amount(gross - fee),
        "fee": amount(fee) if fee.minor else "",
        "currency": after.currency,
        "is_complete": after.state == CLOSED,
    }
    return Mail("return_credited", buyer(customer), variables)


def _ended(before: Return, after: Return, customer: Customer, contacts: Contacts) -> Mail:
    """It ends without goods; the warehouse reads it where it expected some."""
    kind = "return_cancelled" if after.state == CANCELLED else "return_expired"
    staff = warehouse_mailbox(contacts) if before.state == AUTHORIZED else ()
    return Mail(kind, (*buyer(customer), *staff), _about(after, contacts))


def _about(one: Return, contacts: Contacts) -> dict[str, Any]:
    units = {line.line_id: line.quantity for line in one.lines}
    return {
        "return_number": one.number,
        "link": own_order_page(contacts, one.order_number),
        "staff_link": return_page(contacts, one.number),
        **_listed(one.lines, units),
    }


def _listed(lines: Iterable[ReturnLine], units: Mapping[str, int]) -> dict[str, Any]:
    rows = [
        {"sku": line.sku, "description": line.description, "quantity": units[line.line_id]}
        for line in lines
        if units[line.line_id]
    ]
    return listed(rows, "lines", "more_lines")
