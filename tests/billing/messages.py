"""Messages to billing as tests write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oms.billing.v1 import billing_pb2 as pb
from oms.facts.v1 import facts_pb2
from oms.types.v1 import types_pb2
from tests import facts


def usd(minor: int) -> types_pb2.Money:
    return types_pb2.Money(minor_units=minor, currency="USD")


def by_hand(order_id: str, shipment_ids: Sequence[str], units: Mapping[str, int] | None = None) -> pb.InvoiceByHand:
    """These shipments of an order, all that wait for none; `units` are line id → units of them."""
    lines = [types_pb2.LineQuantity(line_id=line_id, quantity=count) for line_id, count in (units or {}).items()]
    return pb.InvoiceByHand(order_id=order_id, shipment_ids=shipment_ids, lines=lines)


def credit_request(
    invoice: str,
    lines: Mapping[str, int] | None = None,
    *,
    freight: int = 0,
    allowance: int = 0,
    everything: bool = False,
    by: str = "",
    request_id: str = "",
) -> pb.CreditInvoiceRequest:
    """Units of lines, freight and an allowance in minor units, or everything that is left of an invoice."""
    return pb.CreditInvoiceRequest(
        request_id=request_id,
        invoice=invoice,
        lines=[types_pb2.LineQuantity(line_id=line, quantity=units) for line, units in (lines or {}).items()],
        freight=usd(freight) if freight else None,
        allowance=usd(allowance) if allowance else None,
        is_all=everything,
        reason_code="price",
        reason="agreed on the phone",
        asked_by=by,
    )


def movement(fact_id: str, kind: str, value: int, *, order_id: str = "", quantity: int = 1) -> facts_pb2.Fact:
    detail = {
        "warehouse_id": "wh_1",
        "sku": "A",
        "quantity": quantity,
        "value_minor": value,
        "currency": "USD",
    }
    return facts.notified(kind, detail, fact_id=fact_id, source="inventory", order_id=order_id)


def order_parts(orders: Mapping[str, int] | None) -> list[pb.OrderPart]:
    return [pb.OrderPart(order_id=order_id, amount=usd(part)) for order_id, part in (orders or {}).items()]
