"""A deposit that is invoiced: its order says so, and who pays gets the document, once."""

from __future__ import annotations

from typing import Any

import pytest

from services.runtime.db import Database
from tests.orders.review_desk import ReviewDesk

DEPOSIT_INVOICED = {
    "deposit_invoice_id": "dep_1",
    "number": "DI-1001",
    "amount_minor": 33_000,
    "tax_minor": 3_000,
    "currency": "USD",
}
TAKEN_BACK = DEPOSIT_INVOICED | {
    "deposit_invoice_id": "dep_2",
    "number": "DC-1001",
    "corrects": "DI-1001",
    "reason": "The deposit is refunded.",
}


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


@pytest.mark.parametrize(
    ("detail", "document", "why"),
    [
        (DEPOSIT_INVOICED, "Deposit invoice DI-1001", "DI-1001"),
        (TAKEN_BACK, "Credit note DC-1001", "DI-1001 by DC-1001"),
    ],
)
def test_an_invoiced_deposit_is_an_event_and_a_mail_with_its_document(
    desk: ReviewDesk, detail: dict[str, Any], document: str, why: str
) -> None:
    order_id = desk.place(("PUMP", 3), payment_method="deposit", deposit_terms="30%").order_id
    before = desk.read(order_id)

    fact = desk.fact(order_id, "billing", "deposit_invoiced", 1, detail)
    desk.notify(fact)
    desk.notify(fact)

    [mail] = [row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "deposit_invoice"]
    said = mail["variables"]
    assert (said["document"], said["total"], said["tax"]) == (document, "330.00", "30.00")
    assert (said["corrects"], said["reason"]) == (detail.get("corrects", ""), detail.get("reason", ""))
    assert (mail["attachment"]["document"], mail["attachment"]["name"]) == (
        "deposit_invoice",
        f"{detail['number']}.pdf",
    )
    after = desk.read(order_id)
    assert (after.standing, after.progress.held_minor) == (before.standing, before.progress.held_minor)
    assert [event.why for event in desk.events(order_id) if event.what == "deposit_invoiced"] == [why]
