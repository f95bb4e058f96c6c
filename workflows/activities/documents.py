"""Documents that the steps of one order read one after the other: kept by the worker once nothing in them can change."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from google.protobuf.message import Message

from oms.fulfillment.v1 import fulfillment_pb2
from oms.orders.v1 import orders_pb2
from services.kernel.errors import InvalidArgument, NotFound
from workflows.activities.calls import Services

KEPT = 1_000
"""Documents of a kind; the one that was asked for the longest time ago goes first."""
LARGEST = 16 * 1024
"""Bytes of a document that is kept, some hundred lines; longer ones are rare and would fill the worker's memory."""

LEFT = (fulfillment_pb2.SHIPMENT_STATE_SHIPPED, fulfillment_pb2.SHIPMENT_STATE_DELIVERED)

Document = TypeVar("Document", bound=Message)


class Documents:
    """Orders and shipments as their services have them. Whoever is given one only reads it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._orders: _LruCache[orders_pb2.Order] = _LruCache()
        self._shipments: _LruCache[fulfillment_pb2.Shipment] = _LruCache()

    async def order(self, order_id: str, version: int = 0) -> orders_pb2.Order:
        """The order as the services that fulfil and bill it need it; without a version it is read again.

        A version never changes but in its phase, which no step reads, and when the order ends early: then its quantities fall to
        what has shipped, and ended() must be told. When another version is in force by now, that one is given and not kept.
        """
        kept = self._orders.find(order_id)
        if kept is not None and kept.version == version:
            return kept
        order = (await self._services.orders.GetOrder(orders_pb2.GetOrderRequest(order_id=order_id))).order
        if version and order.version == version:
            self._orders.keep(order_id, order)
        return order

    def ended(self, order_id: str) -> None:
        """The order has ended: whoever still asks for it is told what the orders service says."""
        self._orders.drop(order_id)

    def cleared(self, order: orders_pb2.Order) -> None:
        """The order as its rules have just cleared it: the next steps need not ask for it."""
        self._orders.keep(order.order_id, order)

    async def shipment(self, shipment_id: str) -> fulfillment_pb2.Shipment:
        """The shipment; of one that has left, nothing changes any more but that it is delivered and when, or that it never left."""
        kept = self._shipments.find(shipment_id)
        if kept is not None:
            return kept
        request = fulfillment_pb2.GetShipmentRequest(shipment_id=shipment_id)
        shipment = (await self._services.fulfillment.GetShipment(request)).shipment
        if shipment.state in LEFT:
            self._shipments.keep(shipment_id, shipment)
        return shipment

    async def shipment_that_left(self, shipment_id: str, order_id: str) -> fulfillment_pb2.Shipment | None:
        """The shipment, if fulfillment says that it is the order's and has left: whoever tells of it may be wrong."""
        try:
            found = await self.shipment(shipment_id) if shipment_id else None
        except (NotFound, InvalidArgument):
            return None
        return found if found is not None and found.order_id == order_id and found.state in LEFT else None

    async def shipment_that_never_left(self, shipment_id: str, order_id: str) -> fulfillment_pb2.Shipment | None:
        """The shipment, if fulfillment says that it is the order's and its ship confirm was reversed; what was kept of it is forgotten."""
        self._shipments.drop(shipment_id)
        try:
            found = await self.shipment(shipment_id) if shipment_id else None
        except (NotFound, InvalidArgument):
            return None
        is_one = found is not None and found.order_id == order_id and found.HasField("reversal")
        return found if is_one else None


class _LruCache(Generic[Document]):
    """Documents by id, as many as fit."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, Document] = OrderedDict()

    def find(self, key: str) -> Document | None:
        document = self._documents.get(key)
        if document is not None:
            self._documents.move_to_end(key)
        return document

    def keep(self, key: str, document: Document) -> None:
        if document.ByteSize() > LARGEST:
            return
        self._documents[key] = document
        self._documents.move_to_end(key)
        if len(self._documents) > KEPT:
            self._documents.popitem(last=False)

    def drop(self, key: str) -> None:
        self._documents.pop(key, None)
