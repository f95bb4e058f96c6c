"""Changes of an order that was invoiced before it ships."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.orders.domain.amendment import below_minimum
from services.orders.domain.changes import LineChange
from services.orders.domain.projection import LineProgress, Progress
from tests.orders.test_domain_amending import A4, AUSTIN, changed, shipped


def test_what_was_invoiced_at_order_stays_and_may_still_go_elsewhere_and_become_more() -> None:
    early = replace(A4, invoicing="at_order")
    invoiced = Progress(
        lines={"1": LineProgress(invoiced=10), "2": LineProgress(invoiced=40)},
        invoices=shipped(10, invoiced=10).invoices,
    )

    def obstacles(*lines: LineChange, **more: Any) -> list[str]:
        becomes = replace(changed(early, *lines, **more).order, invoicing="at_order")
        return [one.code for one in below_minimum(early, becomes, invoiced)]

    fewer = replace(changed(early, LineChange("1", quantity=3)).order, invoicing="at_order")
    sentences = [one.sentence for one in below_minimum(early, fewer, invoiced) if one.line_id == "1"]
    where, instead = f"line 1 ({A4.lines[0].sku})", "cancel the order before it ships, which credits its invoice"
    assert sentences == [f"{where}: 10 units are invoiced, so keep at least 10, or {instead}"]
    assert "BELOW_INVOICED" in obstacles(LineChange("1", quantity=0))
    assert obstacles(LineChange("1", quantity=12)) == []
    assert "ADDRESS_FIXED" not in obstacles(ship_to=AUSTIN)
