"""Five orders are told from their recorded history, in sentences, by name, with the pages to look at."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from samples.closing import logins_table, stock_table
from samples.walkthrough import Places, places, sentences
from services.kernel.formats import Formats
from tests.cli.fake_api import serving

ORDER: dict[str, Any] = {
    "number": "SO-1001",
    "currency": "USD",
    "version": 2,
    "placed_at": "2026-12-01T09:00:00.000Z",
    "violations": [],
    "holds": [{"code": "PRICE_OUT_OF_TOLERANCE", "reason": "The price differs from the agreement."}],
    "lines": [{"promises": [{"promised_on": "2026-12-08"}, {"promised_on": "2026-12-04"}]}],
}
NAMES = {"ann": "Ann Lee", "max": "Max Stein"}


def event(
    what: str, second: float, who: str = "workflow", role: str = "service", why: str = "", **after: Any
) -> dict[str, Any]:
    at = f"2026-12-01T09:00:{second:06.3f}Z"
    return {"what": what, "occurred_at": at, "who": who, "role": role, "why": why, "after": after}


def narrated(*history: dict[str, Any], **order: Any) -> list[str]:
    return sentences({**ORDER, **order}, history, NAMES, Formats())


def test_people_are_named_and_amounts_are_grouped() -> None:
    placed = event("order_placed", 0, "ann", "customer", lines=1, total="1393.60")
    changed = event("change_proposed", 1, "max", "sales_rep", difference=["Total: 1393.60 USD → 1473.60 USD"])

    assert narrated(placed, changed) == [
        "  0.0 s  Ann Lee places the order: 1 line, 1,393.60 USD",
        "  1.0 s  Max Stein proposes a change: Total: 1,393.60 USD → 1,473.60 USD",
    ]


def test_a_return_keeps_its_lines_by_their_ids() -> None:
    asked = event("return_requested", 1, "ann", "customer", why="one too many", lines={"1": 1})

    assert narrated(asked) == ["  1.0 s  Ann Lee returns goods: one too many"]


def test_what_happens_to_several_shipments_together_is_one_line() -> None:
    history = [
        event("shipment_picked", 2, why="SH-1"),
        event("shipment_picked", 2.1, why="SH-2"),
        event("shipment_packed", 3, why="SH-1"),
    ]

    assert narrated(*history) == ["  2.0 s  Picked: SH-1, SH-2", "  3.0 s  Packed: SH-1"]


def test_approvals_of_two_people_stay_two_lines() -> None:
    first = event("step_approved", 1, "ann", "approver", "fine", step="sales manager")
    second = event("step_approved", 2, "max", "approver", "fine", step="finance director")

    assert narrated(first, second) == [
        "  1.0 s  Ann Lee approves as sales manager: “fine”",
        "  2.0 s  Max Stein approves as finance director: “fine”",
    ]


def test_a_hold_a_rejection_and_a_backorder_say_why() -> None:
    held = event("order_held", 0, why="PRICE_OUT_OF_TOLERANCE")
    rejected = event("order_rejected", 0, why="SKU_NOT_SELLABLE")
    short = event("stock_reserved", 1, status="backordered")

    assert narrated(held) == ["  0.0 s  Validation puts it on hold: The price differs from the agreement."]
    assert narrated(rejected, violations=[{"message": "The SKU is not sold any more."}]) == [
        "  0.0 s  Validation rejects it, with every reason at once: The SKU is not sold any more."
    ]
    assert narrated(short) == ["  1.0 s  Stock is reserved for a part; the rest is backordered"]


def test_promised_dates_are_written_out_and_what_has_no_sentence_is_still_told() -> None:
    accepted = event("order_accepted", 1)
    new = event("shipment_exception", 2, why="SH-1")

    assert narrated(accepted, new) == [
        "  1.0 s  Accepted: a mail tells the customer the promised dates, Dec 4, 2026 and Dec 8, 2026",
        "  2.0 s  Shipment exception: SH-1",
    ]
    assert narrated(accepted, lines=[{"promises": []}])[0].endswith("as stock comes in")


def test_what_has_no_promised_date_yet_comes_as_stock_does() -> None:
    accepted, undated = event("order_accepted", 1), {"promised_on": None}

    none = narrated(accepted, lines=[{"promises": [undated]}])
    some = narrated(accepted, lines=[{"promises": [{"promised_on": "2026-12-04"}]}, {"promises": [undated]}])

    assert none[0].endswith("the promised dates, as stock comes in")
    assert some[0].endswith("the promised dates, Dec 4, 2026, the rest as stock comes in")


def test_each_order_has_the_address_of_its_page_and_of_its_workflow_where_the_temporal_ui_runs() -> None:
    both = Places("http://oms", "http://temporal")

    assert dict(both.of("SO-1001")) == {
        "order page": "http://oms/orders/SO-1001",
        "its workflow": "http://temporal/namespaces/default/workflows/order%2FSO-1001",
    }
    with serving() as ui:
        ui.on("GET /", {})
        assert places("http://oms", ui.url).temporal_ui == ui.url
    assert list(places("http://oms", ui.url).of("SO-1001")) == [("order page", "http://oms/orders/SO-1001")]


def test_logins_and_stock_are_tables_with_names_and_sums() -> None:
    written = io.StringIO()
    people = [
        {"sub": "sam.warehouse", "name": "Sam Rivera", "roles": ["warehouse"]},
        {"sub": "helen.park", "name": "Helen Park", "roles": ["approver"], "positions": ["finance_director"]},
        {"sub": "ann", "name": "Ann Lee", "roles": ["customer"], "company": "cus_acme"},
    ]
    usd = [{"amount": "1000.00", "currency": "USD"}, {"amount": "234.50", "currency": "USD"}]
    stock = [{"warehouse_id": "W1", "on_hand": 700, "allocated": 1, "available": 699, "value": value} for value in usd]

    out = Console(file=written, width=160)
    out.print(logins_table(people, "secret-2026"))
    out.print(stock_table(stock))

    rows = [" ".join(line.split()) for line in written.getvalue().splitlines()]
    assert rows[1:4] == [
        "Sam Rivera sam.warehouse warehouse secret-2026",
        "Helen Park helen.park finance director secret-2026",
        "Ann Lee ann customer of cus_acme secret-2026",
    ]
    assert rows[5] == "W1 2 1,400 2 1,398 1,234.50 USD"
