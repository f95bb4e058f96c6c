"""The words on pages: what a status, role or recorded change is called, and which color it may have."""

from __future__ import annotations

from services.orders.domain.order import Order
from services.orders.domain.status import Axes

TONES = ("waits", "blocks", "done", "moves", "rests")
"""amber waits, red blocks, green is done, blue moves, gray says nothing."""

_TONES = {
    "waits": ("received", "waiting", "in_review", "awaiting_customer", "backordered", "open", "part_paid", "requested", "part_shipped",
              "unpaid", "deposit", "held", "unapplied", "proposed", "awaiting_warehouse", "changes_requested", "agreed",
              "change_pending"),
    "blocks": ("on_hold", "rejected", "cancelled", "expired", "dead", "unreadable", "over", "overpaid", "reversed", "declined", "withdrawn", "void", "written_off"),
    "done": ("settled", "delivered", "completed", "completed_with_cancellations", "paid", "full", "closed", "approved", "done",
             "applied", "accepted_by_customer", "credited", "matched"),
    "moves": ("accepted", "in_fulfilment", "partially_shipped", "shipped", "released", "picked", "packed", "part",
              "allocated", "part_released", "fully_released", "fully_shipped"),
}  # fmt: skip
_TONE_OF = {word: tone for tone, group in _TONES.items() for word in group}

# The values of the API stay as they are; people read them in US English.
_STATUSES = {
    "in_fulfilment": "in fulfillment",
    "cancelled": "canceled",
    "awaiting_customer": "waiting for customer",
    "awaiting_warehouse": "waiting for warehouse",
    "part_paid": "partially paid",
    "written_off": "written off",
    "part_received": "partially received",
    "part_credited": "partially credited",
}
_AXES = {
    "fulfilment": {
        "unrouted": "–",
        "part_released": "partially released",
        "fully_released": "released",
        "part_shipped": "partially shipped",
        "fully_shipped": "shipped",
    },
    "billing": {"none": "–", "part": "partially invoiced", "full": "invoiced"},
    "payment": {"part": "partially paid", "over": "overpaid"},
    "returns": {"none": "–", "open": "return open", "part": "partially returned", "full": "returned"},
}
_ROLES = {
    "warehouse_manager": "warehouse",
    "channel": "sales channel",
    "service": "system",
}

_EVENTS = {
    "order_placed": "placed the order",
    "order_cleared": "checked the order: no issues found",
    "order_held": "put the order on hold",
    "order_rejected": "rejected the order",
    "order_accepted": "confirmed the order with promise dates",
    "order_allocated": "allocated stock",
    "order_shipped": "recorded the shipment",
    "order_delivered": "recorded the delivery",
    "order_cancelled": "canceled the order",
    "order_closed": "closed the order: delivered, invoiced and paid",
    "order_failed": "closed the order: it could not be processed",
    "workflow_interrupted": "stopped before the order was done",
    "workflow_resumed": "repaired the order: its workflow goes on",
    "hold_released": "released a hold",
    "facts_changed": "found that facts have changed",
    "cancellation_requested": "requested cancellation",
    "cancellation_declined": "declined the cancellation",
    "stock_reserved": "reserved stock",
    "stock_allocated": "allocated stock to backorders",
    "stock_released": "released reserved stock",
    "sourcing_asked": "asked to source again:",
    "order_sourced_again": "sourced again:",
    "stock_expected": "updated the expected dates of backordered stock",
    "shipments_released": "received shipments to pick",
    "shipment_picked": "picked",
    "shipment_packed": "packed",
    "shipment_shipped": "shipped",
    "shipment_delivered": "delivered",
    "shipment_exception": "carrier exception on",
    "shipment_reversed": "reversed the ship confirm of",
    "shipment_intercepted": "stopped on its way",
    "shipments_cancelled": "canceled shipments",
    "recall_answered": "answered the recall",
    "exception_opened": "opened an exception",
    "exception_resolved": "resolved an exception",
    "invoice_issued": "invoiced",
    "payment_received": "payment received",
    "deposit_received": "payment held for the order",
    "deposit_invoiced": "invoiced the deposit",
    "payment_reversed": "payment reversed",
    "invoice_credited": "credited",
    "invoice_written_off": "wrote off",
    "due_date_set": "set the due date",
    "credit_rest_changed": "made room under the credit limit for a part, the rest is waiting",
    "credit_granted": "committed the order to its customer's credit or cash",
    "card_problem": "reported a problem with the card",
    "card_given": "gave a card",
    "owed_refund": "reported on the refund to the card",
    "feedback_given": "gave feedback",
    "review_opened": "requested approval",
    "review_voided": "voided the review: earlier approvals no longer count",
    "review_rebound": "carried the approvals over to the new version",
    "review_expired": "closed the review: no decision by the deadline",
    "step_approved": "approved",
    "step_rejected": "rejected",
    "review_reminded": "sent a reminder",
    "review_escalated": "escalated the approval",
    "review_reassigned": "reassigned the approval",
    "changes_requested": "requested changes",
    "review_answered": "resubmitted the order for review",
    "decision_refused": "was not allowed to decide",
    "change_proposed": "proposed a change",
    "change_consented": "accepted the change",
    "change_declined": "declined the change",
    "change_expired": "closed the change: no answer by the deadline",
    "change_withdrawn": "withdrew the change",
    "change_rejected": "rejected the change",
    "change_agreed": "approved the change",
    "change_applied": "applied the change as a new version",
    "units_cancelled": "canceled a part of the order",
    "tax_determined": "determined the tax",
    "closing_requested": "asked to close lines of the order",
    "units_closed": "closed lines of the order",
    "change_settled": "confirmed the changed order",
    "change_recall_asked": "asked the warehouse to recall shipments",
    "change_recalled": "recalled the shipments",
    "cancellation_withdrawn": "withdrew the cancellation",
    "recall_unanswered": "asked the warehouse's manager: the recall is not answered",
    "recall_reminded": "reminded the warehouse of the recall",
    "recall_escalated": "asked support: the warehouse has not answered the recall",
    "return_requested": "requested a return",
    "return_authorized": "authorized the return",
    "return_in_transit": "sent the goods of",
    "return_denied": "denied the return",
    "return_cancelled": "canceled the return",
    "return_expired": "gave up waiting for goods of the return",
    "return_received": "received goods of",
    "return_inspected": "inspected goods of",
    "return_credited": "credited the return by",
    "return_halted": "stopped before the return was done",
    "return_ended": "ended the return",
    "return_credited_early": "credited the return before its goods came",
    "return_keep_asked": "asked to credit the return without its goods",
    "return_kept": "let the customer keep goods of the return",
    "return_given_up": "gave up waiting for the rest of the return",
    "parcel_matched": "matched a parcel that nobody had announced; it is the return",
    "replacement_placed": "placed what replaces its goods",
    "exchange_settled": "settled the exchange",
    "release_resumed": "proceeded with the order as it stands: the change is still open",
}

# What a customer reads: who must do something, in words nobody needs to learn.
_PLAIN = {
    "received": ("Order received", "We are checking it."),
    "in_review": ("Under review", "Waiting for approval."),
    "awaiting_customer": ("We need your answer", "Please look at the change that we propose."),
    "on_hold": ("Under review", "We are checking a detail of your order."),
    "accepted": ("Confirmed", "We are preparing it."),
    "backordered": ("Confirmed, on backorder", "Part of it is out of stock and ships when it arrives."),
    "in_fulfilment": ("Being packed", "The warehouse is working on it."),
    "partially_shipped": ("Partially shipped", "The rest follows."),
    "shipped": ("On its way", "The carrier has all of it."),
    "delivered": ("Delivered", ""),
    "completed": ("Completed", "Delivered and paid."),
    "completed_with_cancellations": ("Completed", "Delivered and paid; part of it was canceled."),
    "rejected": ("Not accepted", "We could not accept this order. Please contact us to place it again."),
    "cancelled": ("Canceled", "Nothing more will be delivered."),
    "expired": ("Expired", "It was not confirmed in time."),
}


def status(word: str) -> str:
    """A status word, phase or state as people read it."""
    return _STATUSES.get(word, word.replace("_", " "))


def tone(word: str) -> str:
    """Which of TONES a word has."""
    return _TONE_OF.get(word, "rests")


def axis(word: str, name: str) -> str:
    """A word of an axis; a dash where nothing has begun."""
    return _AXES.get(name, {}).get(word) or status(word)


def role(word: str) -> str:
    """A role, or several with commas, as people read them."""
    return ", ".join(_ROLES.get(each, each.replace("_", " ")) for each in word.split(", "))


def event(word: str) -> str:
    """What a recorded change is called."""
    return _EVENTS.get(word, status(word))


def plain(word: str) -> tuple[str, str]:
    """A status for its customer: a few words and a sentence."""
    return _PLAIN.get(word, (status(word).capitalize(), ""))


def channel(word: str) -> str:
    """A channel as people write it."""
    return {"edi": "EDI", "pos": "POS", "ebay": "eBay", "amazon": "Amazon"}.get(word, status(word))


_METHODS = {
    "terms": "on credit",
    "cod": "cash on delivery",
    "settled_elsewhere": "marketplace or till",
    "exchange": "returned goods",
    "deposit": "deposit, rest on credit",
}


def method(word: str) -> str:
    """How an order is paid, where its days do not matter."""
    return _METHODS.get(word, status(word))


_INVOICING = {
    "manual": "by accounting",
    "at_order": "at order, before it ships",
    "exchange": "never, unless the returned goods do not come",
    "weekly": "weekly, all orders on one invoice",
    "monthly": "monthly, all orders on one invoice",
}


def invoicing(word: str) -> str:
    """When what has shipped is invoiced."""
    return _INVOICING.get(word, status(word))


_WAITING_ON = {
    "rest": "credit for the rest",
    "cash": "the customer’s cash",
    "card": "the customer’s card",
    "overdue": "overdue invoices",
}


def waiting_on(word: str) -> str:
    """What money an order waits on."""
    return _WAITING_ON.get(word, status(word))


_ACCOUNTS = {
    "cost_of_goods_sold": "Cost of goods sold",
    "goods_received_not_invoiced": "Goods received, not invoiced",
    "freight_revenue": "Freight revenue",
    "fee_income": "Fee income",
    "marketplace_clearing": "Owed by marketplaces",
}


def account(word: str) -> str:
    """An account of the ledger as people read it."""
    return _ACCOUNTS.get(word) or status(word).capitalize()


def terms(order: Order) -> str:
    """How an order is paid."""
    if order.settlement is not None:
        return f"settled by {channel(order.channel)}, {order.settlement.reference}"
    named = {"terms": order.payment_terms.words, "cod": "cash on delivery", "exchange": "by returned goods"}
    return named.get(order.payment_method, status(order.payment_method))


MILESTONES = ("approved", "allocated", "shipped", "delivered", "paid")
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
    return reached + 1 if reached == 4 and axes.payment in ("paid", "over", "credited", "written_off") else reached
