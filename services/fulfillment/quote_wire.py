"""What carriers would charge, for the wire: a quote a warehouse, and the tariffs behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.domain.rates import Quote, Rate, by_warehouse
from services.fulfillment.domain.workdays import HANDLING_DAYS, promised_on


def quotes_response(quotes: Sequence[Quote], offers: Iterable[Rate], today: date) -> pb.QuoteWarehousesResponse:
    """Quotes in their order, each with the rates of its warehouse."""
    rates = by_warehouse(offers)
    return pb.QuoteWarehousesResponse(
        quotes=[
            pb.WarehouseQuote(
                warehouse_id=quote.warehouse_id,
                carrier=quote.carrier,
                cost_minor=quote.cost.minor,
                transit_days=quote.transit_days,
                lead_days=HANDLING_DAYS + quote.transit_days,
                tariffs=[_tariff(rate, today) for rate in rates[quote.warehouse_id]],
            )
            for quote in quotes
        ],
        currency=quotes[0].cost.currency if quotes else "",
    )


def _tariff(rate: Rate, today: date) -> pb.QuotedTariff:
    return pb.QuotedTariff(
        carrier=rate.carrier,
        base_minor=rate.base.minor,
        per_kg_minor=rate.per_kg.minor,
        per_unit_minor=rate.per_unit.minor,
        promised_on=promised_on(today, rate.transit_days).isoformat(),
    )
