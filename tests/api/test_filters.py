"""A word that no order can have is refused with those there are: an empty list would read as "there are none"."""

from __future__ import annotations

import pytest

from services.runtime.roles import HOLD_OWNERS
from tests.api.conftest import World


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=nope", ("status is one of received, in_review, awaiting_customer, accepted, on_hold, backordered, "
         "in_fulfilment, partially_shipped, shipped, delivered, completed, completed_with_cancellations, rejected, cancelled, "
         "expired")),
        ("status=Received", "status is one of received, in_review"),
        ("phase=shipped", "phase is one of received, in_review, accepted, rejected, cancelled, closed, expired, failed"),
        ("channel=fax", "channel is one of web, phone, in_person, email, partner, edi, amazon, ebay, pos"),
        ("hold=moon", "hold is one of any, "),
        ("hold=cred", "hold is one of any, "),
        ("needs=boss", f"needs is one of {', '.join(HOLD_OWNERS)}, customer, carrier, supplier, system"),
    ],
)  # fmt: skip
async def test_an_unknown_word_in_a_filter_is_refused_with_the_known_ones(
    world: World, query: str, sentence: str
) -> None:
    answer = await world.send("GET", f"/v1/orders?{query}", "auditor")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "FILTER_UNKNOWN")
    assert problem["detail"].startswith(sentence)


@pytest.mark.parametrize(
    "query", ["status=backordered", "phase=failed", "channel=pos", "hold=any", "hold=credit", "needs=carrier"]
)
async def test_a_known_word_that_fits_no_order_is_an_empty_list(world: World, query: str) -> None:
    answer = await world.send("GET", f"/v1/orders?{query}", "auditor")

    assert (answer.status_code, answer.json()["rows"]) == (200, [])


async def test_an_empty_word_is_refused_and_does_not_show_everything(world: World) -> None:
    answer = await world.send("GET", "/v1/orders?status=", "auditor")

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
