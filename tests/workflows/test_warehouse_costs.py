"""What is asked of fulfillment before stock is planned: the warehouses that can serve, with why one begins later."""

from __future__ import annotations

from types import SimpleNamespace

from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.orders.v1 import orders_pb2
from services.kernel.bounds import MAX_SOURCES
from workflows.activities.calls import warehouse_costs


async def test_of_very_many_warehouses_the_cheapest_are_planned_over() -> None:
    quotes = [
        fulfillment.WarehouseQuote(
            warehouse_id=f"W{number}", cost_minor=number, delay="begins tomorrow" if number == 0 else ""
        )
        for number in range(MAX_SOURCES + 1)
    ]  # as fulfillment gives them: the cheapest first

    async def quoted(_request: fulfillment.QuoteWarehousesRequest) -> fulfillment.QuoteWarehousesResponse:
        return fulfillment.QuoteWarehousesResponse(quotes=quotes, currency="USD")

    services = SimpleNamespace(fulfillment=SimpleNamespace(QuoteWarehouses=quoted))
    found = await warehouse_costs(services, orders_pb2.Order())  # type: ignore[arg-type]  # one of five

    assert [one.warehouse_id for one in found.rows] == [f"W{number}" for number in range(MAX_SOURCES)]
    assert [one.delay for one in found.rows[:2]] == ["begins tomorrow", ""]
