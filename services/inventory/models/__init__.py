"""The tables of inventory, by noun: shape and constraints, no behavior."""

from services.inventory.models.allocation import AllocationPolicy
from services.inventory.models.returned import QuarantineDecision, ReturnedStock
from services.inventory.models.stock import Table, answers, outbox

__all__ = ["AllocationPolicy", "QuarantineDecision", "ReturnedStock", "Table", "answers", "outbox"]
