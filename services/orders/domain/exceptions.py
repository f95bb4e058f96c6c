"""Business exceptions: what went wrong with an order outside its rules, who must act, and what they can do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import InvalidArgument, NotPermitted, Refused
from services.orders.domain.facts import Shipment
from services.orders.domain.order import Address

CARRIER_EXCEPTION = "carrier_exception"
UNDELIVERABLE_ADDRESS = "undeliverable_address"
UNREACHABLE_CUSTOMER = "unreachable_customer"
TAX_MISSING = "tax_missing"
WEBHOOK_ID_REUSED = "webhook_id_reused"
BANK_REFERENCE_REUSED = "bank_reference_reused"
PAYMENT_RETURNED = "payment_returned"
DEPOSIT_LEFT = "deposit_left"
DEPOSIT_LEFT_REASON = "Cash is held for this order, which has ended: no invoice will deduct it."
CAPTURE_FAILED, REFUND_FAILED = "capture_failed", "refund_failed"
REFUND_UNPAID = "refund_unpaid"
CARD_DISPUTED, CARD_MOVED_ELSEWHERE = "card_disputed", "card_moved_elsewhere"
CARD_PROBLEMS = frozenset({CAPTURE_FAILED, REFUND_FAILED, CARD_DISPUTED, CARD_MOVED_ELSEWHERE})
"""What billing tells of an order's card."""
REVIEW_SHORT_OF_PEOPLE = "review_short_of_people"
RECALL_UNANSWERED, RECALL_ESCALATED = "recall_unanswered", "recall_escalated"
WORKFLOW_LOST = "workflow_lost"
WORKFLOW_FAILING = "workflow_failing"
RETURN_LOST = "return_lost"
PAST_CANCEL_AFTER = "past_cancel_after"

WORKFLOW_HALTS: Mapping[str, str] = {
    WORKFLOW_LOST: "No workflow carries the order on: it was stopped, deleted or lost.",
    WORKFLOW_FAILING: "Its workflow cannot take its next step: a bug or a bad release keeps it.",
}
"""What a sweep says of an order that nobody carries on, by kind."""

OPEN = "open"
RESOLVED = "resolved"
STATES = (OPEN, RESOLVED)
ALWAYS_RESOLVES = "support"
"""The role that may resolve an exception of any owner."""
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Kind:
    """What exceptions of a kind have in common; `subject` says what the subject's id is of."""

    name: str
    subject: str
    owner_role: str
    what_to_do: str


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            CARRIER_EXCEPTION,
            "shipment",
            "support",
            "Ask the carrier what keeps the shipment and tell the customer. Its delivery resolves this by itself.",
        ),
        Kind(
            UNDELIVERABLE_ADDRESS,
            "hold",
            "support",
            "Enter a rate for its zone, and the order goes on by itself, or change the address. "
            "The end of the hold resolves this by itself.",
        ),
        Kind(
            TAX_MISSING,
            "hold",
            "accounting",
            "Correct what the tax engine refuses, such as the address, or have an administrator look whether it can be reached. "
            "Its answer resolves this by itself.",
        ),
        Kind(
            UNREACHABLE_CUSTOMER,
            "order",
            "support",
            "Enter a mail address of the customer, and tell it what it has missed. The address resolves this by itself.",
        ),
        Kind(
            WEBHOOK_ID_REUSED,
            "carrier message",
            "support",
            "Ask the carrier to send it again under a new id, and look whether the parcel has arrived.",
        ),
        Kind(
            BANK_REFERENCE_REUSED,
            "bank reference",
            "accounting",
            "Compare both with the bank statement, and record the second payment under a reference of its own if it is one.",
        ),
        Kind(
            PAYMENT_RETURNED,
            "order",
            "accounting",
            "Ask the customer for another payment: its invoices are open again. Their payment resolves this by itself.",
        ),
        Kind(
            DEPOSIT_LEFT,
            "order",
            "accounting",
            "Reapply its payment to what the customer owes or to another order, or refund it. That resolves this by itself.",
        ),
        Kind(
            CAPTURE_FAILED,
            "invoice",
            "accounting",
            "Capture it again, or ask the customer for another card or payment. The invoice's payment resolves this by itself.",
        ),
        Kind(
            REFUND_FAILED,
            "card authorization",
            "accounting",
            "The money is here again, on account: refund it again, or pay it back another way.",
        ),
        Kind(
            REFUND_UNPAID,
            "refund",
            "accounting",
            "Retry it, or pay it another way and record that, under Refunds of accounting. Its payment resolves this by itself.",
        ),
        Kind(
            CARD_DISPUTED,
            "card authorization",
            "accounting",
            "Answer the dispute at the payment provider, and record what came of it.",
        ),
        Kind(
            CARD_MOVED_ELSEWHERE,
            "card authorization",
            "accounting",
            "Compare the payment provider's list with the ledger, and record here what was done there.",
        ),
        Kind(
            REVIEW_SHORT_OF_PEOPLE,
            "review",
            "admin",
            "Enter people with the position and a limit that covers the order, or have the order changed or canceled. "
            "Enough people, or the end of the review, resolve this by itself.",
        ),
        Kind(
            RECALL_UNANSWERED,
            "change",
            "warehouse",
            "Give the units back, or refuse the recall. Either answer resolves this by itself, however late it comes.",
        ),
        Kind(
            RECALL_ESCALATED,
            "change",
            "support",
            "Call the warehouse and have it answer, or withdraw the cancellation. Either resolves this by itself.",
        ),
        Kind(
            WORKFLOW_LOST,
            "order",
            "support",
            "Repair the order: its workflow starts again and goes on where goods and money are. That resolves this by itself.",
        ),
        Kind(
            WORKFLOW_FAILING,
            "order",
            "support",
            "Tell an engineer: nothing is lost, and a corrected release goes on by itself. That resolves this by itself.",
        ),
        Kind(
            RETURN_LOST,
            "return",
            "support",
            "Repair the return, on its page: its workflow starts again and goes on where goods and money are. That resolves this by itself.",
        ),
        Kind(
            PAST_CANCEL_AFTER,
            "order",
            "support",
            "Ship what is still wanted, or move its last day to ship by a change. Have accounting credit what will not ship. "
            "Another day, or the end of the order, resolves this by itself.",
        ),
    )
}
"""Every kind of exception: who must act, and on what."""


@dataclass(frozen=True, slots=True)
class BusinessException:
    """Something that went wrong with an order; open while `resolved_at` is None.

    `subject_id` says with what: a shipment, a hold, the order or a message, as its kind says. A subject has one open exception of a kind.
    """

    exception_id: str
    order_id: str
    kind: str
    subject_id: str
    reason: str
    owner_role: str
    what_to_do: str
    since: datetime
    resolved_at: datetime | None = None
    resolved_by: str = ""
    resolved_role: str = ""
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody must still act."""
        return self.resolved_at is None


def may_resolve(found: BusinessException, roles: frozenset[str], owners: Collection[str] = ()) -> bool:
    """Whether somebody with these roles may resolve it: its owner, support in any case, and who acts for an owner that is nobody."""
    return not roles.isdisjoint((found.owner_role, ALWAYS_RESOLVES, *owners))


def check_resolution(
    found: BusinessException,
    roles: frozenset[str],
    note: str,
    owners: Collection[str] = (),
    resolved_by: str = "somebody",
) -> None:
    """Refuse a resolution by another role (NOT_EXCEPTION_OWNER), without a note (NOTE_MISSING), or a second one (EXCEPTION_RESOLVED).

    `resolved_by` is the name of who was quicker.
    """
    if not may_resolve(found, roles, owners):
        raise NotPermitted(
            "NOT_EXCEPTION_OWNER",
            f"only {found.owner_role} may resolve this exception: ask somebody with that role",
            owner_role=found.owner_role,
        )
    if not note.strip():
        raise InvalidArgument("NOTE_MISSING", "say how it was resolved: the order's timeline keeps the note")
    if not found.is_open:
        raise resolved_already(resolved_by)


def resolved_already(by: str) -> Refused:
    """The refusal of a second resolution."""
    return Refused("EXCEPTION_RESOLVED", f"{by} has already resolved this exception: reload the list")


def carrier_reason(shipment: Shipment) -> str:
    """A carrier exception in words."""
    if shipment.state == "cancelled":
        return (
            f"{shipment.carrier} tells of {shipment.number} on its way, whose ship confirm was reversed: find out where the "
            "goods are before another shipment leaves with them."
        )
    if shipment.intercepted_at:
        return f"{shipment.carrier} tells that {shipment.number} was delivered, which it had stopped on the way: ask it where the goods are."
    number = shipment.exception_tracking_number
    tracking = f", tracking number {number}" if number else ""
    said = _SAID_BY_CARRIERS.get(shipment.problem, _SAID_BY_CARRIERS["exception"])
    return said.format(carrier=shipment.carrier or "The carrier", what=f"{shipment.number}{tracking}")


_SAID_BY_CARRIERS = {
    "exception": "{carrier} reports a problem on the way with {what}.",
    "failed_attempt": "{carrier} could not hand over {what}: check the address, and when somebody is there.",
    "damaged": "{carrier} reports {what} damaged on the way: ask whether the customer takes it, and claim it from the carrier.",
    "returned_to_sender": "{carrier} brings {what} back: expect the parcel, and ask the customer where the goods shall go.",
    "lost": "{carrier} has lost {what}: claim it from the carrier, and credit the goods or send them again.",
}
"""Problem → what people read of it."""


def undeliverable_reason(address: Address) -> str:
    """An undeliverable address in words."""
    where = " ".join(filter(None, (address.region, address.postal_code, address.country)))
    return f"No carrier serves {where}."


def unreachable_reason(customer_name: str) -> str:
    """A customer without a mail address in words."""
    return f"{customer_name} has no mail address, so nobody tells it of this order."


def short_of_people_reason(shortfall: str) -> str:
    """A review that nobody can finish in words; `shortfall` says whom is missing."""
    return f"This review cannot be finished: {shortfall}."


def interruption(why: str) -> str:
    """What a workflow said of itself when it ended before its order; what a sweep says where it said nothing."""
    return why or WORKFLOW_HALTS[WORKFLOW_LOST]


def lost_return_reason(number: str) -> str:
    """What a sweep says of a return that nobody carries on."""
    return f"No workflow carries {number} on: it was stopped, deleted or lost."


@dataclass(frozen=True, slots=True)
class ListedException:
    """An exception with the order it is about."""

    found: BusinessException
    order_number: str
    customer_name: str


@dataclass(frozen=True, slots=True)
class ExceptionFilter:
    """Which exceptions a list shows; what is empty filters nothing."""

    state: str = ""
    order_id: str = ""
    kind: str = ""
    owner_role: str = ""
