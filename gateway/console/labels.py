"""The words on pages: what a status, role or recorded change is called, and which colour it may have."""

from __future__ import annotations

from services.orders.domain.order import Order
from services.orders.domain.status import Axes

TONES = ("waits", "blocks", "done", "moves", "rests")
"""amber waits, red blocks, green is done, blue moves, grey says nothing."""

_TONES = {
    "waits": ("received", "in_review", "awaiting_customer", "backordered", "open", "part_paid", "requested", "part_shipped",
              "unpaid", "proposed", "awaiting_warehouse", "changes_requested", "agreed"),
    "blocks": ("on_hold", "rejected", "cancelled", "expired", "dead", "unreadable", "over", "declined", "withdrawn", "void"),
    "done": ("delivered", "completed", "completed_with_cancellations", "paid", "full", "closed", "approved", "done",
             "applied", "accepted_by_customer"),
    "moves": ("accepted", "in_fulfilment", "partially_shipped", "shipped", "released", "picked", "packed", "part",
              "allocated", "part_released", "fully_released", "fully_shipped"),
}  # fmt: skip
_TONE_OF = {word: tone for tone, group in _TONES.items() for word in group}

_EVENTS = {
    "order_placed": "placed the order",
    "order_cleared": "checked it: nothing stands against it",
    "order_held": "checked it: held",
    "order_rejected": "rejected it",
    "order_accepted": "accepted it and promised dates",
    "order_allocated": "allocated stock",
    "order_shipped": "noted what shipped",
    "order_delivered": "noted the delivery",
    "order_cancelled": "cancelled the order",
    "order_closed": "closed the order: everything is delivered, invoiced and paid",
    "order_failed": "gave up on the order",
    "hold_released": "released a hold",
    "facts_changed": "asked the rules again: facts have changed",
    "cancellation_requested": "asked to cancel",
    "cancellation_declined": "declined the cancellation",
    "stock_reserved": "reserved stock",
    "stock_allocated": "allocated backordered stock",
    "stock_released": "freed stock",
    "stock_expected": "heard when missing stock comes",
    "shipments_released": "released to the warehouse",
    "shipment_picked": "picked",
    "shipment_packed": "packed",
    "shipment_shipped": "shipped",
    "shipment_delivered": "delivered",
    "shipment_exception": "told of a problem on the way with",
    "shipments_cancelled": "stopped shipments",
    "exception_opened": "opened an exception",
    "exception_resolved": "resolved an exception",
    "invoice_issued": "invoiced",
    "payment_received": "payment received",
    "feedback_given": "gave feedback",
    "review_opened": "asked for a review",
    "review_voided": "ended the review: what was approved does not count any more",
    "review_rebound": "bound the review to the new version",
    "step_approved": "approved",
    "step_rejected": "rejected",
    "changes_requested": "asked for changes",
    "review_answered": "answered the review",
    "decision_refused": "tried to decide and was not allowed",
    "change_proposed": "proposed a change",
    "change_consented": "accepted the change",
    "change_declined": "declined the change",
    "change_expired": "did not answer in time",
    "change_withdrawn": "took the change back",
    "change_rejected": "could not make the change",
    "change_agreed": "agreed to the change",
    "change_applied": "made the change: a new version stands",
    "change_recall_asked": "asked the warehouse to give back",
    "change_recalled": "got back what was released",
}

# What a customer reads: who must do something, in words nobody needs to learn.
_PLAIN = {
    "received": ("We have your order", "We are checking it."),
    "in_review": ("We are looking at your order", "Somebody here has to agree to it first."),
    "awaiting_customer": ("We need your answer", "Please look at what we propose."),
    "on_hold": ("We are looking at your order", "Something about it needs our attention."),
    "accepted": ("Confirmed", "We are getting it ready."),
    "backordered": ("Confirmed, waiting for stock", "Some of it is not in stock yet; it follows by itself."),
    "in_fulfilment": ("Being packed", "The warehouse is working on it."),
    "partially_shipped": ("Partly on its way", "The rest follows."),
    "shipped": ("On its way", "The carrier has all of it."),
    "delivered": ("Delivered", ""),
    "completed": ("Completed", "Delivered and paid."),
    "completed_with_cancellations": ("Completed", "Delivered and paid, some of it was cancelled."),
    "rejected": ("We could not accept this order", "Your contact here will help you to place it again."),
    "cancelled": ("Cancelled", "Nothing of it will be delivered."),
    "expired": ("Expired", "It was not confirmed in time."),
}


def status(word: str) -> str:
    """A status word, phase or state as people read it."""
    return word.replace("_", " ")


def tone(word: str) -> str:
    """Which of TONES a word has."""
    return _TONE_OF.get(word, "rests")


def axis(word: str) -> str:
    """A word of an axis; a dash where nothing has begun."""
    return "–" if word in ("none", "unrouted") else status(word)


def role(word: str) -> str:
    """A role, or several with commas, as people read them."""
    return word.replace("_", " ")


def event(word: str) -> str:
    """What a recorded change is called."""
    return _EVENTS.get(word, status(word))


def plain(word: str) -> tuple[str, str]:
    """A status for its customer: a few words and a sentence."""
    return _PLAIN.get(word, (status(word).capitalize(), ""))


def channel(word: str) -> str:
    """A channel as people write it."""
    return {"edi": "EDI", "pos": "POS", "ebay": "eBay", "amazon": "Amazon"}.get(word, status(word))


def terms(order: Order) -> str:
    """How an order is paid."""
    return f"net {order.net_days} days" if order.payment_method == "terms" else status(order.payment_method)


MILESTONES = ("agreed", "allocated", "shipped", "delivered", "paid")
_FULFILMENT = {
    "allocated": 2,
    "part_released": 2,
    "fully_released": 2,
    "part_shipped": 2,
    "fully_shipped": 3,
    "delivered": 4,
    "closed": 4,
}


def milestones(axes: Axes) -> int:
    """How many of MILESTONES an order has reached, one after the other; what was paid early counts when it has arrived."""
    if axes.review != "accepted":
        return 0
    reached = _FULFILMENT.get(axes.fulfilment, 1)
    return reached + 1 if reached == 4 and axes.payment in ("paid", "over") else reached
