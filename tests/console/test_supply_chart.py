"""The chart of what comes of a SKU."""

from __future__ import annotations

from gateway.console.supply_chart import FLOOR, Chart, supply_chart
from gateway.http.neighbors.outlook import AtpDayShape, Outlook, OutlookReceiptShape


def chart_of(*coming: tuple[str, str, int, int]) -> Chart | None:
    """From December 1, of receipts as (day, reference, units, units that are taken)."""
    receipts = [
        OutlookReceiptShape(
            expected_receipt_id=reference, warehouse_id="W1", kind="transfer", reference=reference, remaining_quantity=units,
            expected_on=day, due_on=day, is_overdue=False, takers=[], taken_quantity=taken,
        )
        for day, reference, units, taken in coming
    ]  # fmt: skip
    return supply_chart(
        Outlook(sku="PUMP", receipts=receipts, atp=[AtpDayShape(day="2026-12-01", quantity=0)], uncovered_quantity=0)
    )


def test_what_comes_on_the_same_day_is_one_bar_in_which_nothing_hides_what_is_taken() -> None:
    chart = chart_of(("2026-12-14", "PO-1", 30, 15), ("2026-12-14", "TR-1", 30, 0), ("2026-12-20", "WO-1", 6, 6))

    assert chart is not None
    first, last = chart.bars
    assert (first.free_height + first.taken_height, first.taken_height) == (FLOOR, FLOOR // 4)
    assert (last.free_height, last.taken_height) == (0, FLOOR // 10)
    assert first.text == "2026-12-14: 30 of PO-1, 15 taken; 30 of TR-1, 0 taken"
    assert (chart.first, chart.last) == ("2026-12-01", "2026-12-20")


def test_where_nothing_comes_there_is_no_chart() -> None:
    assert chart_of() is None
