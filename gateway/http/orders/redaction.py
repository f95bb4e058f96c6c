"""What people outside our staff read of an order: that something is being checked, and never what or why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.kernel.errors import NotPermitted
from services.orders.access.matrix import Caller
from services.orders.domain.consequence import Consequence
from services.orders.domain.events import Event
from services.orders.domain.holds import Hold
from services.orders.domain.overview import OverviewFilter
from services.orders.domain.status import Standing
from services.orders.domain.waiting import INVOICE_AWAITED, WaitingFor
from services.runtime.roles import NAMED_TO_CUSTOMERS

BEING_CHECKED = "being checked"
CHECKED = "checked"
US = "us"
"""Who checks, whatever the role: the owner of a hold tells what it is about."""

WAIVED = "waived"
_NEUTRAL = "we are looking at something about this order"
_WAITED_FOR = frozenset({"customer", "warehouse", "carrier", "supplier", "system"})
_PLAIN_EVENTS = frozenset(
    {
        "order_placed", "order_cleared", "order_rejected", "order_accepted", "order_allocated", "order_shipped", "order_delivered",
        "order_cancelled", "order_closed", "order_failed", "cancellation_requested", "cancellation_declined", "cancellation_withdrawn", "stock_reserved",
        "stock_allocated", "stock_released", "stock_expected", "shipments_released", "shipment_picked", "shipment_packed", "shipment_shipped",
        "shipment_delivered", "shipment_exception", "shipment_reversed", "shipment_intercepted", "shipments_cancelled", "recall_answered", "invoice_issued", "payment_received", "deposit_received", "payment_reversed", "deposit_invoiced", "invoice_credited", "due_date_set", "feedback_given",
        "change_proposed", "change_consented", "change_declined", "change_expired", "change_withdrawn", "change_rejected",
        "owed_refund", "change_agreed", "change_applied", "units_cancelled", "closing_requested", "units_closed", "change_settled", "change_recall_asked", "change_recalled",
        "release_resumed", "tax_determined",
        "return_requested", "return_authorized", "return_denied", "return_cancelled", "return_expired", "return_in_transit",
        "return_received", "return_inspected", "return_credited", "return_ended",
        "return_credited_early", "return_kept", "return_given_up", "parcel_matched",
        "replacement_placed", "exchange_settled",
    }
)  # fmt: skip
"""What may be named as it is; anything else, also what is recorded one day, is told as CHECKED."""

_WITH_REASON = _PLAIN_EVENTS - {
    "order_rejected",
    "order_failed",
    "recall_answered",
    "change_rejected",
    "change_withdrawn",
    "cancellation_withdrawn",
    "return_authorized",
}
_MEMBERS = frozenset(
    {
        "phase", "status", "total", "lines", "version", "fact_id", "change_id", "from_version", "to_version",
        "total_before", "total_after", "difference", "rating", "case_number", "on_behalf_of",
    }
)  # fmt: skip


def is_redacted(who: Caller) -> bool:
    """Whether the caller belongs to a customer. A channel is a machine of ours that acts on codes, on the orders it placed."""
    return who.reach == "own" and who.principal.has("customer")


def check_filter(who: Caller, wanted: OverviewFilter) -> None:
    """NotPermitted for who is outside and filters by what it may not read."""
    if is_redacted(who) and (
        wanted.hold not in ("", "any") or wanted.needs not in ("", *(_WAITED_FOR - {"warehouse"}))
    ):
        sentence = "what we check of an order is ours to know: filter by hold=any, or by needs=customer, carrier, supplier or system"
        raise NotPermitted("FILTER_NOT_PERMITTED", sentence)


def standing(found: Standing) -> Standing:
    """Where an order stands, with its holds and those who must release or approve it as one plain word."""
    waiting = found.waiting_for
    axes = replace(found.axes, holds=(BEING_CHECKED,) if found.axes.holds else ())
    return replace(found, axes=axes, waiting_for=_waiting(waiting, is_held=bool(axes.holds)) if waiting else None)


def _waiting(waiting: WaitingFor, *, is_held: bool) -> WaitingFor:
    if waiting.what == INVOICE_AWAITED:
        return replace(waiting, who=US)
    named = waiting.who.split(", ")
    if waiting.who == "customer" or (not is_held and _WAITED_FOR.issuperset(named)):
        return waiting
    who = ", ".join((*(name for name in named if name == "customer"), US))
    return replace(waiting, who=who, what=BEING_CHECKED)


def hold(found: Hold) -> Hold:
    """A hold of which only since when it stands, or stood until when, is told."""
    return replace(
        found,
        code=BEING_CHECKED,
        hold_type=BEING_CHECKED,
        owner_role=US,
        reason=_NEUTRAL,
        released_by="",
        note="",
        up_to_minor=None,
        valid_until=None,
    )


def consequence(found: Consequence) -> Consequence:
    """What a cancellation comes to, without what of the customer's credit becomes free and why its fee is waived."""
    fee = replace(found.fee, waived_reason=WAIVED) if found.fee and found.fee.waived_reason else found.fee
    return replace(found, released_credit=None, fee=fee)


def event(found: Event, who: Caller) -> Event:
    """A recorded change: people of ours by their role, and what they check of an order only as CHECKED."""
    if found.who == who.principal.sub:
        return replace(found, before=_redacted(found, found.before), after=_redacted(found, found.after))
    is_named = found.what in _PLAIN_EVENTS or found.role == "customer"
    role = found.role if is_named and found.role in NAMED_TO_CUSTOMERS else US
    return replace(
        found,
        who=role,
        role=role,
        what=found.what if is_named else CHECKED,
        why=found.why if found.role == "service" and found.what in _WITH_REASON else "",
        before=_redacted(found, found.before),
        after=_redacted(found, found.after),
    )


def _redacted(found: Event, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    own = {"step", "step_id", "acting_for"} if found.role == "customer" else set()
    shown = {name: value for name, value in snapshot.items() if name in _MEMBERS | own}
    return {**shown, "holds": [BEING_CHECKED] if snapshot["holds"] else []} if "holds" in snapshot else shown
