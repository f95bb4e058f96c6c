"""What each part of BillingService knows; the parts stand beside each other in BillingServicer."""

from collections.abc import Mapping

from oms.billing.v1 import billing_pb2_grpc as rpc
from services.billing.cards.desk import CardDesk
from services.billing.documents.seller import Seller
from services.billing.invoice_runner import ReadOrder
from services.kernel.clock import Clock
from services.kernel.money import Money
from services.runtime.db import Database


class ServicerPart(rpc.BillingServiceServicer):
    """`limits` are currency → most that somebody corrects without a second person; `read_order` asks orders for an order."""

    database: Database
    clock: Clock
    desk: CardDesk
    limits: Mapping[str, Money]
    seller: Seller
    read_order: ReadOrder
