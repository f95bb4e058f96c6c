"""Names that live longer than the code: task queues, workflow ids, signals, search attributes."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

ORDER_QUEUE = "orders"
PAYMENT_QUEUE = "payments"

ORDER_WORKFLOW = "OrderWorkflow"
RETURN_WORKFLOW = "ReturnWorkflow"
SWEEP_WORKFLOW = "SweepWorkflow"

# Facts that wake an order, named as the business says them: the timeline shows these words.
STOCK_ALLOCATED = "stock_allocated"
SHIPMENT_SHIPPED = "shipment_shipped"
SHIPMENT_DELIVERED = "shipment_delivered"
SHIPMENT_REVERSED = "shipment_reversed"
PAYMENT_SETTLED = "payment_settled"
HOLDS_RELEASED = "holds_released"
RECALL_ANSWERED = "recall_answered"
PAYMENT_REVERSED = "payment_reversed"
SOURCING_ASKED = "sourcing_asked"
FACTS = (
    STOCK_ALLOCATED, SHIPMENT_SHIPPED, SHIPMENT_DELIVERED, SHIPMENT_REVERSED, PAYMENT_SETTLED, HOLDS_RELEASED, RECALL_ANSWERED,
    PAYMENT_REVERSED, SOURCING_ASKED,
)  # fmt: skip

# What wakes a return: it reads in the orders database what has happened.
RETURN_DECIDED = "return_decided"
RETURN_INSPECTED = "return_inspected"
RETURN_CANCELLED = "return_cancelled"

INTERRUPTED = "WORKFLOW_INTERRUPTED"
"""The type of the error with which an update ends whose workflow does before its order: a later run answers."""

PLACE = "place"
CANCEL = "cancel"
DECIDE = "decide"
CONSENT = "consent"
AMEND = "amend"
REFRESHES = (DECIDE, CONSENT, AMEND)
"""Updates by which people's decisions reach an order; each carries an id alone, and the workflow reads what was decided."""

NUMBER = SearchAttributeKey.for_keyword("OmsNumber")
CUSTOMER = SearchAttributeKey.for_keyword("OmsCustomer")
CHANNEL = SearchAttributeKey.for_keyword("OmsChannel")
PO_NUMBER = SearchAttributeKey.for_keyword("OmsPO")
TOTAL_MINOR = SearchAttributeKey.for_int("OmsTotalMinor")
PHASE = SearchAttributeKey.for_keyword("OmsPhase")
SEARCH_ATTRIBUTES = (NUMBER, CUSTOMER, CHANNEL, PO_NUMBER, TOTAL_MINOR, PHASE)


_OF_ORDER = "order/"


def order_workflow_id(number: str) -> str:
    """One running workflow an order: a number ("SO-1019") is given once."""
    return f"{_OF_ORDER}{number}"


def return_workflow_id(number: str) -> str:
    """One running workflow a return: a number ("RMA-1001") is given once."""
    return f"return/{number}"


def order_number(workflow_id: str) -> str:
    """The number of the order whose workflow it is."""
    return workflow_id.removeprefix(_OF_ORDER)
