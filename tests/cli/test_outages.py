"""`oms outages`."""

from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

OUTAGE = {
    "outage_id": "out_1", "warehouse_id": "wh_1", "reason": "flooded dock", "declared_by": "pat", "order_count": 12,
    "began_at": "2026-12-01T09:00:00.000Z", "until": "2026-12-04T06:00:00.000Z", "ended_at": None,
}  # fmt: skip


def test_a_warehouse_is_closed_listed_and_opened(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/warehouses/wh_1/outage", OUTAGE)
    api.on("POST /v1/warehouses/wh_1/outage/end", OUTAGE | {"ended_at": "2026-12-02T09:00:00.000Z"})
    api.page("GET /v1/outages", OUTAGE)

    declared = command("outages", "declare", "wh_1", "--until", "2026-12-04T06:00:00Z", "--reason", "flooded dock")
    listed, ended = command("outages", "list", "--lasting"), command("outages", "end", "wh_1")

    assert api.asked[0].body == {"until": "2026-12-04T06:00:00Z", "reason": "flooded dock"}
    assert declared.out == "wh_1 is closed until 2026-12-04T06:00:00.000Z; 12 orders are sourced again\n"
    assert all(word in listed.out for word in ("wh_1", "flooded dock", "12"))
    assert ended.out == "wh_1 is open again\n"


def test_a_refusal_says_what_to_do(command: Oms, api: FakeApi) -> None:
    problem = {"code": "OUTAGE_END_INVALID", "detail": "the outage would be over already: name an end in the future"}
    api.on("POST /v1/warehouses/wh_1/outage", problem, 422)

    wrong = command("outages", "declare", "wh_1", "--until", "2020-12-04T06:00:00Z", "--reason", "flooded dock")

    assert (wrong.code, "name an end in the future" in wrong.err) == (1, True)


def test_outages_are_asked_for_without_what_their_list_does_not_take(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/outages", OUTAGE)

    every, lasting = command("outages", "list"), command("outages", "list", "--lasting")

    assert (every.code, lasting.code) == (0, 0)
    assert [one.query for one in api.asked] == [{}, {"lasting": "true"}]
