"""Tables of orders: shape and constraints only."""

from __future__ import annotations

from services.orders.models.decisions import CancellationRow, FeedbackRow, HoldRow, ViolationRow
from services.orders.models.log import EventRow, FactRow, LateFactRow
from services.orders.models.master import CustomerRow, PolicyRow, PriceAgreementRow, ProductRow
from services.orders.models.orders import CounterRow, LineRow, OrderRow, ProgressRow
from services.orders.models.table import Table, answers, outbox

__all__ = [
    "CancellationRow",
    "CounterRow",
    "CustomerRow",
    "EventRow",
    "FactRow",
    "FeedbackRow",
    "HoldRow",
    "LateFactRow",
    "LineRow",
    "OrderRow",
    "PolicyRow",
    "PriceAgreementRow",
    "ProductRow",
    "ProgressRow",
    "Table",
    "ViolationRow",
    "answers",
    "outbox",
]
