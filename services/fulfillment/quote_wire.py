"""What carriers would charge, for the wire: a quote a warehouse, and the tariffs behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from services.fulfillment.domain.rates import Quote, Rate, by_warehouse
from services.fulfillment.domain.schedules import Timing
from services.fulfillment.domain.workdays import HANDLING_DAYS


def quotes_response(
    quotes: Sequence[Quote], offers: Iterable[Rate], today: date, times: Timing, units: int
) -> pb.QuoteWarehousesResponse:
    """Quotes of so many units in their order, each with the rates of its warehouse and when that would begin."""
    rates = by_warehouse(offers)
    begins = {one.warehouse_id: times.start(one.warehouse_id, units) for one in quotes}
    return pb.QuoteWarehousesResponse(
        quotes=[
            pb.WarehouseQuote(
                warehouse_id=quote.warehouse_id,
                carrier=quote.carrier,
                cost_minor=quote.cost.minor,
                transit_days=quote.transit_days,
                lead_days=HANDLING_DAYS + quote.transit_days,
                tariffs=[_tariff(rate, times.promised_on(rate, today, units)) for rate in rates[quote.warehouse_id]],
                delay=start.words if (start := begins[quote.warehouse_id]) else "",
            )
            for quote in quotes
        ],
        currency=quotes[0].cost.currency if quotes else "",
    )


def _tariff(rate: Rate, promised: date) -> pb.QuotedTariff:
    return pb.QuotedTariff(
        carrier=rate.carrier,
        base_minor=rate.base.minor,
        per_kg_minor=rate.per_kg.minor,
        per_unit_minor=rate.per_unit.minor,
        promised_on=promised.isoformat(),
    )
