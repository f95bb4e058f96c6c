"""The kinds of mail: what each may show, who has a text for it, and what its subject says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel.errors import InvalidArgument, NotFound
from services.runtime.roles import MAIL_ROLES, MAIL_ROLES_WITHOUT_PRICES

_DIFF = ("customer_name", "version", "reason", "changes", "more_changes", "total_before", "total_after", "currency")
_DROPPED = (
    "customer_name", "version", "reason", "lines", "more_lines", "total_before", "total_after", "freed", "is_kept", "currency",
)  # fmt: skip
_INVOICE = (
    "invoice_number", "total", "received", "due", "currency", "is_paid", "is_by_card", "due_on", "early_total", "early_on",
)  # fmt: skip
_APPROVAL = (
    "customer_name", "po_number", "total", "currency", "step", "reasons", "submitted_by", "due", "link",
)  # fmt: skip
_RETURNED = ("return_number", "lines", "more_lines")
_RETURN = (*_RETURNED, "link", "staff_link")

VARIABLES: Mapping[str, tuple[str, ...]] = {
    # total and extended are printed amounts such as "1,329.00"; lines: [{description, sku, quantity, extended}];
    # more_lines: how many there are beside those listed; placed_on: the instant, whose day the company's clock decides
    "order_received": ("customer_name", "po_number", "total", "currency", "lines", "more_lines", "placed_on"),
    # promises: [{sku, description, quantity, promised_on}], promised_on empty while supply has no date
    "order_accepted": ("customer_name", "promises", "more_lines", "total", "currency"),
    # reasons: [sentence that names who may release it]; only staff read them; staff_link: where it is released; is_confirmed: the
    # order was accepted before, and only what has not left is held
    "order_on_hold": ("reasons", "staff_link", "is_confirmed"),
    # amount: to be paid before anything ships, tax its part of the order's; received: what has come for it, empty for nothing;
    # is_deposit: not all of the total is asked for
    "pro_forma": ("amount", "tax", "received", "total", "currency", "po_number", "is_deposit", "lines", "more_lines"),
    # reasons: [sentence]; only staff read them
    "order_rejected": ("reasons",),
    "order_cancelled": ("reason",),
    # lines: [{sku, description, cancelled, left, kept}]: left stay ordered, shipped ones included; kept were to be canceled and have left
    # or stay with their warehouse; freed: what has been paid and is no longer needed, empty for nothing; is_kept: it is not refunded; amounts and reason are not
    # for the warehouse
    "units_cancelled": _DROPPED,
    # the same of lines that are closed, which have `closed` units
    "units_closed": _DROPPED,
    # reason: a sentence that only staff read; no decision was taken in time
    "order_expired": ("reason",),
    # more_changes: how many there are beside those listed; changes: [{what, before, after, is_money}], before empty for what is new, after empty for what is gone; both are text:
    # an ISO date, a quantity, an amount or words. Rows with is_money, both totals and the reason are not for the warehouse
    "order_changed": _DIFF,
    # link: where the customer answers; staff_link: where staff sees the order
    "consent_requested": (*_DIFF, "respond_by", "link", "staff_link"),
    # version: the one that stands; reason: why the change was proposed (expired), what the customer said (declined); staff only
    "consent_expired": ("reason", "version"),
    "consent_declined": ("reason", "version"),
    # version: the one that stands
    # reason: why the change will not be made, staff only; customer_reason: what a customer may read of it, empty for nothing
    "change_rejected": ("reason", "customer_reason", "version"),
    # version: the one that the warehouse goes on with; reason: why the change was asked for; staff only
    "release_resumed": ("reason", "version"),
    # waited: a span in words; is_escalated: support is asked, too; link: the order's page
    "recall_unanswered": ("waited", "is_cancellation", "is_escalated", "link"),
    # step: what is asked for, such as "manager approval"; reasons: [sentence], only staff read them; submitted_by: a name
    "approval_requested": _APPROVAL,
    # waited: a span in words, such as "2 days"
    "approval_reminder": (*_APPROVAL, "waited"),
    # escalated_from: the names of those who did not decide in time
    "approval_escalated": (*_APPROVAL, "waited", "escalated_from"),
    # by: a name; chain: seller or buyer; a customer reads who asked for what only when it was one of its own people
    "changes_requested": ("by", "note", "link", "chain"),
    # earliest_on: what the plant's calendar allows, empty while unknown
    "manufacturing_asked": ("sku", "description", "quantity", "requested_on", "earliest_on", "due", "link"),
    # answer: ends the sentence "it …", such as "can be ready, but later than requested"; ready_on empty when it was refused
    "manufacturing_answered": ("sku", "answer", "ready_on", "note"),
    # lines: [{sku, description, quantity, expected_on, promised_on}]: the day of the supply, and the one promised; empty while unknown
    "backorder_created": ("lines", "more_lines"),
    # lines: [{sku, description, quantity, was_on, promised_on, expected_on, reference}]: the day the customer was told, the new one, the day
    # of the supply and its document, each empty while unknown; value of the units; own_link and staff_link: the order as customer and staff see it
    "backorder_delayed": ("lines", "more_lines", "customer_name", "value", "currency", "own_link", "staff_link"),
    # lines: [{sku, description, quantity}]; packages: [tracking number], each package's; a service visit has no such mail, only delivered
    "shipped": ("shipment_number", "carrier", "tracking_number", "packages", "lines", "more_lines", "promised_on"),
    # the carrier reports a problem in transit
    "shipment_exception": ("shipment_number", "carrier", "tracking_number", "customer_name"),
    # it was reported as shipped by mistake: lines as of shipped
    "shipment_reversed": ("shipment_number", "lines", "more_lines"),
    # its carrier has stopped it on the way: lines of the return by which it comes back
    "shipment_intercepted": _RETURN,
    # is_service: a visit was done; feedback_url: empty unless this completes the order
    "delivered": ("shipment_number", "is_service", "feedback_url", "support_email"),
    # received: what of the total has come before, empty for nothing; is_paid: nothing is due; is_by_card: a card is charged with it;
    # due_on: words such as "due on delivery" while it has no day; early_total: what settles it by early_on, empty without a discount
    "invoice": _INVOICE,
    # of an invoice of several orders: the same of the whole of it, and orders: [their numbers]
    "consolidated_invoice": (*_INVOICE, "orders"),
    # invoices: [invoice number]
    "payment_received": ("amount", "currency", "invoices"),
    # what came for the order and was reversed, such as a check that bounced; invoices are open again
    "payment_reversed": ("amount", "currency", "invoices", "reason"),
    # total of the credit note; left_over: what of it was paid and lies on account, or is_held for the order, empty for nothing; due: what is still open on the
    # invoice, with due_on empty for nothing; reason: as it stands on the credit note
    "credit_note": (
        "credit_note_number",
        "invoice_number",
        "total",
        "left_over",
        "is_held",
        "due",
        "due_on",
        "currency",
        "reason",
    ),
    # document: "Deposit invoice DI-1001" or "Credit note DC-1001"; corrects: the deposit invoice that a credit note takes back, empty for
    # none; total: the cash, of it the tax, empty for none; reason: as it stands on the credit note
    "deposit_invoice": ("document", "corrects", "total", "tax", "currency", "reason"),
    # lines: [{sku, description, quantity}] that are to come back; reason: why, only staff read it; link: the order as its customer sees it; staff_link: the return as staff sees it
    "return_requested": (*_RETURN, "customer_name", "reason"),
    # send_by: the instant until which the goods must come, empty for none; where they go is the company's return address
    "return_authorized": (*_RETURN, "send_by"),
    # reason: as support gave it, for the customer too; empty for none
    "return_denied": (*_RETURN, "reason", "support_email"),
    # lines: the units that have come now; received: all that have come so far, of those announced
    "return_received": (*_RETURNED, "received", "announced", "is_complete"),
    # credit_notes: [number]; total: what they come to, less the fee; fee: what was kept, empty for nothing; is_complete: nothing more comes
    "return_credited": ("return_number", "credit_notes", "total", "fee", "currency", "is_complete"),
    # lines: [{sku, description, quantity}] that come in place of returned goods; is_billed: at another price, total with tax; is_advance: before those are back
    "return_replaced": (*_RETURN, "replacement_number", "is_advance", "is_billed", "total", "currency"),
    "return_cancelled": _RETURN,
    # nothing came in time
    "return_expired": _RETURN,
    # rating: 1 to 5, or null when the customer only asked for support
    "support_case": ("case_number", "rating", "comment", "customer_name"),
    # about no order; link: where its one reader chooses a password, until `due`; asked_by: a name, empty when they asked themselves
    "password_link": ("link", "due", "asked_by"),
}
"""Kind of mail → what its text may show.

Amounts come as people read them. Days (`*_on`) come as ISO dates; `due` and `respond_by` come as RFC 9557 instants, with the IANA
zone of their reader ("2026-11-25T17:00:00-06:00[America/Chicago]"). Quantities are whole numbers. The templates print them; text
that is neither is printed unchanged, and a missing variable is shown as a dash.
"""

KINDS = frozenset(VARIABLES)
ROLES = MAIL_ROLES

VERDICTS = frozenset(["order_accepted", "order_rejected"])
"""Kinds that say how an order was decided: an order gets one of them, and only once."""

ROLES_WITHOUT_PRICES = MAIL_ROLES_WITHOUT_PRICES
"""Roles whose mails show quantities and dates, never prices."""

_STAFF_ONLY = frozenset(["support_case", "recall_unanswered", "manufacturing_asked", "manufacturing_answered"])
"""Kinds that have no text for a customer."""

ABOUT_NO_ORDER = frozenset(["password_link"])
"""Kinds that are about one person, and name no order."""

_MONEY_ONLY = frozenset(
    [
        "pro_forma",
        "invoice",
        "consolidated_invoice",
        "payment_received",
        "payment_reversed",
        "credit_note",
        "deposit_invoice",
        "return_credited",
    ]
)
"""Kinds that are about money alone: not for the warehouse and the plant."""

_SUBJECTS: Mapping[str, tuple[str, str]] = {
    # kind → (what a customer reads, what staff reads)
    "order_received": ("We have received your order {number}", "Order {number} received"),
    "order_accepted": ("Your order {number} has been accepted", "Order {number} accepted"),
    # neutral on purpose: credit and margin are nobody's business in a subject line
    "order_on_hold": ("Your order {number} is under review", "Order {number} is on hold"),
    "pro_forma": ("Pro forma invoice for your order {number}", "Pro forma invoice sent on order {number}"),
    "order_rejected": ("About your order {number}", "Order {number} rejected"),
    "order_cancelled": ("Your order {number} has been canceled", "Order {number} canceled"),
    "units_closed": ("Lines of your order {number} have been closed", "Order {number}: lines closed"),
    "units_cancelled": ("Part of your order {number} has been canceled", "Order {number}: part canceled"),
    "order_expired": ("About your order {number}", "Order {number} expired: no decision in time"),
    "order_changed": ("Your order {number} has been changed", "Order {number} changed"),
    "consent_requested": (
        "Please respond: proposed change to your order {number}",
        "Order {number}: customer asked to agree to a change",
    ),
    "consent_expired": (
        "The proposed change to your order {number} has expired",
        "Order {number}: no response from the customer in time",
    ),
    "consent_declined": (
        "You declined a change to your order {number}",
        "Order {number}: the customer declined the change",
    ),
    "change_rejected": (
        "The change to your order {number} will not be made",
        "Order {number}: the change will not be made",
    ),
    "release_resumed": (
        "Your order {number} proceeds while your change is still open",
        "Order {number}: the warehouse proceeds, the change is still open",
    ),
    "recall_unanswered": ("", "Order {number}: please answer the recall"),
    "approval_requested": ("Please approve order {number}", "Order {number} is waiting for your approval"),
    "approval_reminder": (
        "Reminder: please approve order {number}",
        "Reminder: order {number} is waiting for your approval",
    ),
    "approval_escalated": ("Escalated to you: please approve order {number}", "Escalated to you: order {number}"),
    "changes_requested": ("Action needed on your order {number}", "Changes requested on order {number}"),
    "backorder_created": ("Part of your order {number} is backordered", "Backorder on order {number}"),
    "backorder_delayed": ("A later date for your order {number}", "Order {number}: promised date slips"),
    "shipped": ("A shipment for your order {number} is on its way", "Order {number}: shipment on its way"),
    "shipment_exception": (
        "A shipment for your order {number} may be late",
        "Order {number}: carrier exception",
    ),
    "shipment_reversed": (
        "Correction: a shipment for your order {number} has not left yet",
        "Order {number}: ship confirm reversed",
    ),
    "shipment_intercepted": (
        "A shipment of your order {number} was stopped and comes back to us",
        "Order {number}: shipment stopped on its way, return {rma}",
    ),
    "delivered": ("A shipment for your order {number} has been delivered", "Order {number}: shipment delivered"),
    "invoice": ("Invoice {invoice} for your order {number}", "Invoice {invoice} issued on order {number}"),
    "consolidated_invoice": (
        "Invoice {invoice} for your order {number} and others",
        "Invoice {invoice} issued on order {number} and others",
    ),
    "payment_received": ("Payment received for your order {number}", "Payment received on order {number}"),
    "payment_reversed": ("A payment for your order {number} was returned", "Payment reversed on order {number}"),
    "credit_note": (
        "Credit note {credit_note} for your order {number}",
        "Credit note {credit_note} issued on order {number}",
    ),
    "deposit_invoice": ("{document} for your order {number}", "{document} issued on order {number}"),
    "return_requested": (
        "We have received your return request {rma} for order {number}",
        "Return {rma} of order {number} is waiting for approval",
    ),
    "return_authorized": (
        "Your return {rma} for order {number} is approved",
        "Return {rma} of order {number} is expected",
    ),
    "return_denied": ("About your return {rma} for order {number}", "Return {rma} of order {number} denied"),
    "return_received": (
        "We have received goods of your return {rma} for order {number}",
        "Return {rma} of order {number}: goods received",
    ),
    "return_credited": ("Your return {rma} for order {number} is credited", "Return {rma} of order {number} credited"),
    "return_replaced": (
        "What we send you for your return {rma} of order {number}",
        "Replacement for return {rma} of order {number}",
    ),
    "return_cancelled": (
        "Your return {rma} for order {number} has been canceled",
        "Return {rma} of order {number} canceled",
    ),
    "return_expired": ("Your return {rma} for order {number} has expired", "Return {rma} of order {number} expired"),
    "support_case": ("", "Support case {case} on order {number}"),
    "manufacturing_asked": ("", "Order {number}: when can {sku} be ready?"),
    "manufacturing_answered": ("", "Order {number}: production's answer on {sku}"),
    "password_link": ("Choose your password", "Choose your password"),
}
_VISIT_DONE = ("Our service visit for your order {number} is complete", "Order {number}: service visit complete")
_LAST_DELIVERY = ("Your order {number} is complete: how did we do?", "Order {number} is complete")


def audience(kind: str) -> frozenset[str]:
    """The roles that have a text of this kind."""
    if kind in _STAFF_ONLY:
        return ROLES - {"customer"}
    return ROLES - ROLES_WITHOUT_PRICES if kind in _MONEY_ONLY else ROLES


def template_names(kind: str, role: str, suffix: str) -> tuple[str, ...]:
    """Templates that could write this mail, the most specific first; staff never reads what was written for a customer."""
    return (f"{kind}.{suffix}",) if role == "customer" else (f"{kind}.{role}.{suffix}", f"{kind}.staff.{suffix}")


def subject_template(kind: str, role: str, variables: Mapping[str, Any]) -> str:
    """The subject before its order number and names are filled in."""
    for_customer, for_staff = _subjects(kind, variables)
    return for_customer if role == "customer" and for_customer else for_staff


def _subjects(kind: str, variables: Mapping[str, Any]) -> tuple[str, str]:
    if kind == "delivered" and variables.get("feedback_url"):
        return _LAST_DELIVERY
    if kind == "delivered" and variables.get("is_service"):
        return _VISIT_DONE
    return _SUBJECTS[kind]


def check_kind(kind: str) -> None:
    """Refuse a kind that has no text."""
    if kind not in KINDS:
        raise InvalidArgument(
            "UNKNOWN_KIND", f"there is no mail of this kind; the kinds are {', '.join(sorted(KINDS))}"
        )


def check_role(kind: str, role: str) -> None:
    """Refuse a recipient whose role is unknown, or that a mail of this kind is not for."""
    if role not in ROLES:
        raise InvalidArgument("UNKNOWN_ROLE", f"a recipient's role is one of {', '.join(sorted(ROLES))}")
    if role not in audience(kind):
        raise InvalidArgument("NO_TEXT_FOR_ROLE", f"a mail of the kind {kind} is not for the role {role}")


def check_template(kind: str, role: str) -> None:
    """Refuse to look for a text that does not exist."""
    if kind not in KINDS or role not in audience(kind):
        raise NotFound(
            "NO_SUCH_TEMPLATE", "there is no such text: list the templates and take a kind and a role from there"
        )
