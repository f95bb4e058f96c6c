"""The kinds of mail: what each may show, who has a text for it, and what its subject says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel.errors import InvalidArgument, NotFound
from services.runtime.roles import MAIL_ROLES, MAIL_ROLES_WITHOUT_PRICES

_DIFF = ("customer_name", "version", "reason", "changes", "total_before", "total_after", "currency")
_APPROVAL = (
    "customer_name", "po_number", "total", "currency", "step", "reasons", "submitted_by", "due", "link",
)  # fmt: skip

VARIABLES: Mapping[str, tuple[str, ...]] = {
    # total and extended are printed amounts such as "1,329.00"; lines: [{description, sku, quantity, extended}]
    "order_received": ("customer_name", "po_number", "total", "currency", "lines", "placed_on"),
    # promises: [{sku, description, quantity, promised_on}], promised_on empty while supply has no date
    "order_accepted": ("customer_name", "promises", "total", "currency"),
    # reasons: [sentence that names who may release it]; only staff read them; staff_link: where it is released
    "order_on_hold": ("reasons", "staff_link"),
    # reasons: [sentence]; only staff read them
    "order_rejected": ("reasons",),
    "order_cancelled": ("reason",),
    # reason: a sentence that only staff read; no decision was taken in time
    "order_expired": ("reason",),
    # changes: [{what, before, after, is_money}], before empty for what is new, after empty for what is gone;
    # rows with is_money, both totals and the reason are not for the warehouse
    "order_changed": _DIFF,
    # link: where the customer answers; staff_link: where staff sees the order
    "consent_requested": (*_DIFF, "respond_by", "link", "staff_link"),
    # version: the one that stands; reason: why the change was proposed (expired), what the customer said (declined); staff only
    "consent_expired": ("reason", "version"),
    "consent_declined": ("reason", "version"),
    # version: the one that stands; reason: why the change cannot be made, was refused or taken back; staff only
    "change_rejected": ("reason", "version"),
    # step: what is asked for, such as "manager approval"; reasons: [sentence], only staff read them
    "approval_requested": _APPROVAL,
    # waited: a span in words, such as "2 days"
    "approval_reminder": (*_APPROVAL, "waited"),
    # escalated_from: who did not decide in time
    "approval_escalated": (*_APPROVAL, "waited", "escalated_from"),
    # chain: seller or buyer; a customer reads who asked for what only when it was one of its own people
    "changes_requested": ("by", "note", "link", "chain"),
    # quantity: with its unit of measure when it has one; earliest_on: what the plant's calendar allows, empty while unknown
    "manufacturing_asked": ("sku", "description", "quantity", "requested_on", "earliest_on", "due", "link"),
    # answer: what was said, such as "ready later than asked"; ready_on empty when it was refused
    "manufacturing_answered": ("sku", "answer", "ready_on", "note"),
    # lines: [{sku, description, quantity, expected_on}], expected_on empty while unknown
    "backorder_created": ("lines",),
    # lines: [{sku, description, quantity}]; a service visit is only told as delivered
    "shipped": ("shipment_number", "carrier", "tracking_number", "lines", "promised_on"),
    # the carrier reports a problem on the way
    "shipment_exception": ("shipment_number", "carrier", "tracking_number", "customer_name"),
    # is_service: a visit was done; feedback_url: empty unless this completes the order
    "delivered": ("shipment_number", "is_service", "feedback_url", "support_email"),
    "invoice": ("invoice_number", "total", "currency", "due_on"),
    # invoices: [invoice number]
    "payment_received": ("amount", "currency", "invoices"),
    # rating: 1 to 5, or null when the customer only asked for support
    "support_case": ("case_number", "rating", "comment", "customer_name"),
}
"""Kind of mail → what its text may show. All amounts and dates come as people read them; a missing one is shown as a dash."""

KINDS = frozenset(VARIABLES)
ROLES = MAIL_ROLES

VERDICTS = frozenset(["order_accepted", "order_rejected"])
"""Kinds that tell how an order was decided: an order gets one of them for ever."""

ROLES_WITHOUT_PRICES = MAIL_ROLES_WITHOUT_PRICES
"""Roles that are told of quantities and dates, never of prices."""

_STAFF_ONLY = frozenset(["support_case", "manufacturing_asked", "manufacturing_answered"])
"""Kinds that no customer has a text for."""

_MONEY_ONLY = frozenset(["invoice", "payment_received"])
"""Kinds that speak of nothing but money: not for the warehouse."""

_SUBJECTS: Mapping[str, tuple[str, str]] = {
    # kind → (what a customer reads, what staff reads)
    "order_received": ("We have received your order {number}", "Order {number} received"),
    "order_accepted": ("Your order {number} is accepted", "Order {number} accepted"),
    # neutral on purpose: credit and margin are nobody's business in a subject line
    "order_on_hold": ("We are checking your order {number}", "Order {number} is on hold"),
    "order_rejected": ("About your order {number}", "Order {number} rejected"),
    "order_cancelled": ("Your order {number} is cancelled", "Order {number} cancelled"),
    "order_expired": ("About your order {number}", "Order {number}: no decision in time"),
    "order_changed": ("Your order {number} was changed", "Order {number} was changed"),
    "consent_requested": (
        "Please answer: a change to your order {number}",
        "Order {number}: the customer is asked to consent to a change",
    ),
    "consent_expired": (
        "The change to your order {number} is no longer open",
        "Order {number}: the customer did not answer in time",
    ),
    "consent_declined": ("You declined a change to your order {number}", "Order {number}: the customer declined"),
    "change_rejected": (
        "The change to your order {number} will not be made",
        "Order {number}: a change will not be made",
    ),
    "approval_requested": ("Please approve order {number}", "Order {number} waits for your approval"),
    "approval_reminder": (
        "Reminder: please approve order {number}",
        "Reminder: order {number} waits for your approval",
    ),
    "approval_escalated": ("Order {number} now comes to you for approval", "Escalated to you: order {number}"),
    "changes_requested": ("Please look at your order {number} again", "Changes requested on order {number}"),
    "backorder_created": ("Part of your order {number} will follow later", "Backorder on order {number}"),
    "shipped": ("Your order {number} is on its way", "Order {number}: shipment left"),
    "shipment_exception": (
        "A delivery of your order {number} may be late",
        "Order {number}: the carrier reports a problem",
    ),
    "delivered": ("A delivery of your order {number} has arrived", "Order {number}: shipment delivered"),
    "invoice": ("Invoice {invoice} for your order {number}", "Invoice {invoice} issued on order {number}"),
    "payment_received": ("Thank you: payment received for order {number}", "Payment received on order {number}"),
    "support_case": ("", "Support case {case} on order {number}"),
    "manufacturing_asked": ("", "Order {number}: when can {sku} be ready?"),
    "manufacturing_answered": ("", "Order {number}: answer on {sku}"),
}
_VISIT_DONE = ("Our visit for your order {number} is done", "Order {number}: service visit done")
_LAST_DELIVERY = ("Your order {number} is complete: how did we do?", "Order {number} delivered completely")


def audience(kind: str) -> frozenset[str]:
    """The roles that have a text of this kind."""
    if kind in _STAFF_ONLY:
        return ROLES - {"customer"}
    return ROLES - ROLES_WITHOUT_PRICES if kind in _MONEY_ONLY else ROLES


def template_names(kind: str, role: str, suffix: str) -> tuple[str, ...]:
    """Templates that could write this mail, the most specific first; the last is written for customers, if they are told at all."""
    staff = () if role == "customer" else (f"{kind}.{role}.{suffix}", f"{kind}.staff.{suffix}")
    return (*staff, f"{kind}.{suffix}")


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
