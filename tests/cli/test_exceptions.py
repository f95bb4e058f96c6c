"""`oms exceptions` and `oms dead-letters`."""

from __future__ import annotations

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms


def test_exceptions_of_an_order_are_listed_and_resolved_with_a_note(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1", "number": "SO-1001"})
    api.page(
        "GET /v1/exceptions", {"exception_id": "exc_1", "kind": "carrier_exception", "reason": "UPS has a problem."}
    )
    resolved = {"exception_id": "exc_1", "kind": "carrier_exception", "order_number": "SO-1001"}
    api.on("POST /v1/exceptions/exc_1/resolve", resolved)

    listed = command("exceptions", "--order", "so-1001")
    done = command("exceptions", "resolve", "exc_1", "--note", "it comes tomorrow")

    assert all(word in listed.out for word in ("exc_1", "carrier exception", "UPS has a problem."))
    assert (api.asked[1].query["state"], api.asked[1].query["order_id"]) == ("open", "ord_1")
    assert done.out == "carrier exception of SO-1001 is resolved\n"
    assert api.asked[-1].body == {"note": "it comes tomorrow"}


def test_dead_letters_are_listed_tried_again_and_dismissed_for_a_reason(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/dead-letters", {"source": "message", "subject_id": "fct_1", "what": "notify", "why": "refused"})
    for verb in ("retry", "dismiss"):
        api.on(f"POST /v1/dead-letters/message/fct_1/{verb}", {"source": "message", "subject_id": "fct_1"})

    listed = command("dead-letters", "--source", "message")
    retried = command("dead-letters", "retry", "message", "fct_1")
    dismissed = command("dead-letters", "dismiss", "message", "fct_1", "--reason", "told by phone")

    assert all(word in listed.out for word in ("message", "fct_1", "refused"))
    assert api.asked[0].query["source"] == "message"
    assert retried.out == "message fct_1 is tried again\n"
    assert (dismissed.out, api.asked[-1].body) == ("message fct_1 is dismissed\n", {"reason": "told by phone"})


def test_lost_orders_are_repaired_part_by_part(command: Oms, api: FakeApi) -> None:
    rows = [{"order_id": "ord_1", "number": "SO-1001", "what": "started", "resumption": 1}]
    api.on("POST /v1/repairs", {"rows": rows, "checked": 1, "next_cursor": None})

    done = command("repair")

    assert api.asked[0].body == {"cursor": ""}
    assert "SO-1001: its workflow is started again" in done.out
    assert done.out.endswith("1 order is repaired\n")


def test_one_order_is_repaired_by_its_number(command: Oms, api: FakeApi) -> None:
    repaired = {"order_id": "ord_1", "number": "SO-1001", "what": "woken", "resumption": None}
    api.on("POST /v1/orders/SO-1001/repair", repaired)

    done = command("repair", "SO-1001")

    assert (
        "SO-1001: its workflow runs and is told again what has happened; one that fails reads it once it is fixed"
        in done.out
    )
