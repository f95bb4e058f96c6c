"""The tables of inventory, by noun: shape and constraints, no behavior."""

from services.inventory.models.allocation import AllocationPolicy
from services.inventory.models.base import Table
from services.inventory.models.bins import StockBin
from services.inventory.models.counts import CountLoss, StockCount
from services.inventory.models.returned import QuarantineDecision, ReturnedStock
from services.inventory.models.sourcing import SourcingRequest, WarehouseOutage
from services.inventory.models.stock import answers, outbox
from services.inventory.models.supply import ExpectedReceipt, SupplyChange

__all__ = [
    "AllocationPolicy",
    "CountLoss",
    "ExpectedReceipt",
    "QuarantineDecision",
    "ReturnedStock",
    "SourcingRequest",
    "StockBin",
    "StockCount",
    "SupplyChange",
    "Table",
    "WarehouseOutage",
    "answers",
    "outbox",
]
