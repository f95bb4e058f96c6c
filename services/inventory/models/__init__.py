"""The tables of inventory, by noun: shape and constraints, no behavior."""

from services.inventory.models.allocation import AllocationPolicy
from services.inventory.models.counts import CountLoss, StockCount
from services.inventory.models.returned import QuarantineDecision, ReturnedStock
from services.inventory.models.stock import Table, answers, outbox

__all__ = [
    "AllocationPolicy",
    "CountLoss",
    "QuarantineDecision",
    "ReturnedStock",
    "StockCount",
    "Table",
    "answers",
    "outbox",
]
