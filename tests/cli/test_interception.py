from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms, claims

SHIPMENT = {"shipment_id": "shp_1", "number": "SH-1001", "order_number": "SO-1001", "state": "shipped", "lines": []}


def test_a_parcel_is_stopped_by_its_number_in_the_role_of_support(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/shipments", SHIPMENT)
    api.on("POST /v1/shipments/shp_1/intercept", {**SHIPMENT, "interception": {"state": "intercepted"}})

    answer = command("shipments", "intercept", "SH-1001", "--reason", "stopped", "--answer", "intercepted")

    asked = next(asked for asked in api.asked if asked.method == "POST")
    assert answer.out == "SH-1001 of SO-1001 is stopped: it comes back by a return\n"
    assert asked.body == {"reason": "stopped", "carrier_answer": "intercepted"}
    assert claims(asked.headers["Authorization"])["roles"] == ["support"]


def test_a_carrier_that_does_not_stop_it_is_a_refusal(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/shipments/shp_1/intercept", {**SHIPMENT, "interception": {"state": "too_late"}})

    answer = command("shipments", "intercept", "shp_1", "--reason", "stopped")

    assert answer.code == 1
    assert "SH-1001 has arrived first: it stays shipped, and a return is possible" in answer.err
