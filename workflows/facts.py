"""Pure reducer: what an order knows, and how a fact changes it. Tested without Temporal."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workflows.messages import FactNote
from workflows.names import PAYMENT_SETTLED, SHIPMENT_DELIVERED, STOCK_ALLOCATED


@dataclass(frozen=True, slots=True)
class OrderState:
    """What the workflow needs to remember between turns; everything else is in the services."""

    is_held: bool = False
    is_reserved: bool = False
    backordered: int = 0
    shipped: int = 0
    is_delivered: bool = False
    is_settled: bool = False

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be delivered or paid."""
        return not (self.is_delivered and self.is_settled)


def apply(state: OrderState, kind: str, note: FactNote) -> OrderState:
    """The state after a fact. A repeat or a late fact gives the state that already is.

    It is what the order was told: what has shipped is counted when fulfillment has said so, and before the order ends it asks.
    """
    match kind:
        case _ if kind == STOCK_ALLOCATED:
            return replace(state, backordered=0 if note.is_complete else state.backordered)
        case _ if kind == SHIPMENT_DELIVERED:
            return replace(state, is_delivered=True)
        case _ if kind == PAYMENT_SETTLED:
            return replace(state, is_settled=True)
    return state
