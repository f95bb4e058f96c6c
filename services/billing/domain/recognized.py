"""What shipments of orders that were invoiced at order post to the ledger."""

from services.billing.domain.at_order import Amounts, Recognition
from services.billing.domain.ledger import DEFERRED_REVENUE, FREIGHT_REVENUE, REVENUE, SHIPMENT, Posting


def deferral_postings(shipment_id: str, order_id: str, number: str, amounts: Amounts) -> tuple[Posting, ...]:
    """What had become revenue by a shipment that never left is deferred again; parts of zero post nothing."""
    parts = ((REVENUE, amounts.goods, "revenue"), (FREIGHT_REVENUE, amounts.freight, "freight"))
    return tuple(
        Posting(
            account,
            DEFERRED_REVENUE,
            amount,
            SHIPMENT,
            shipment_id,
            f"{event} reversed",
            order_id,
            f"{number} had not left: {event}",
        )
        for account, amount, event in parts
        if amount.minor
    )


def recognition_postings(shipped: Recognition) -> tuple[Posting, ...]:
    """What was invoiced before it shipped becomes revenue; parts of zero post nothing."""
    parts = (
        (REVENUE, shipped.amounts.goods, "revenue", "goods and services"),
        (FREIGHT_REVENUE, shipped.amounts.freight, "freight", "freight"),
    )
    return tuple(
        Posting(
            DEFERRED_REVENUE,
            account,
            amount,
            SHIPMENT,
            shipped.shipment_id,
            event,
            shipped.order_id,
            f"{shipped.order_number} shipped: {words}",
        )
        for account, amount, event, words in parts
        if amount.minor
    )
