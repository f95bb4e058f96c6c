"""Nothing that is sent to a workflow by hand is believed: an order ends as it would have, whatever it was told, and whenever."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from tests.system.states import SCARCE, Company, begin, end_of, go_on_unheard, live_to_the_end
from tests.system.trade import Trade, ok
from workflows import names
from workflows.messages import CancelOrder, CancelOutcome, ClearanceRefresh, FactNote

WHOLE = (False, True)


def forged_notes(own: list[str], others: list[str]) -> list[tuple[str, FactNote]]:
    """Every signal with every lie: no id, an unknown one, those of another order's shipments, and its own ones too early."""
    subjects = ["", "shp_nobody", *others, *own]
    return [
        (name, FactNote(f"forged/{uuid.uuid4().hex}", subject_id, is_complete))
        for name in names.FACTS
        for subject_id in subjects
        for is_complete in (WHOLE if name == names.STOCK_ALLOCATED else (True,))
    ]


async def lie(
    handle: WorkflowHandle[Any, Any], notes: list[tuple[str, FactNote]], cancellation_ids: list[str]
) -> list[bool]:
    """Send all of it by hand, together and then one by one; gives what the cancellations were answered."""
    await asyncio.gather(*(handle.signal(name, note) for name, note in notes))
    for update in names.REFRESHES:
        for subject_id in ("dec_nobody", *cancellation_ids):
            await handle.execute_update(update, ClearanceRefresh(subject_id, "Max Manager", "approved"))
    for name in (names.PAYMENT_SETTLED, names.SHIPMENT_DELIVERED):
        await handle.signal(name, FactNote(f"forged/{uuid.uuid4().hex}", "", is_complete=True))
    return [await is_cancelled(handle, cancellation_id) for cancellation_id in ("", "can_nobody", *cancellation_ids)]


async def is_cancelled(handle: WorkflowHandle[Any, Any], cancellation_id: str) -> bool:
    """Whether the workflow says that it has cancelled the order."""
    try:
        outcome: CancelOutcome = await handle.execute_update(
            names.CANCEL, CancelOrder(cancellation_id), id=uuid.uuid4().hex, result_type=CancelOutcome
        )
    except WorkflowUpdateFailedError:
        return False
    return outcome.is_cancelled


def events(company: Company, order_id: str) -> Counter[str]:
    """What happened to an order by its log, and how often."""
    rows = ok(company.trade.system.api("auditor").get(f"/v1/orders/{order_id}/history", params={"limit": 200}))["rows"]
    return Counter(row["what"] for row in rows)


@pytest.mark.on_postgres
@pytest.mark.timeout(400)
def test_no_signal_and_no_update_that_is_sent_by_hand_changes_how_an_order_ends(trade: Trade) -> None:
    company, system = Company(trade), trade.system
    honest, deceived = begin(company, 1), begin(company, 1)
    every = [order_id for orders in (honest, deceived) for [order_id] in orders.values()]
    cancelled = company.place("cancelled", ("plenty", 1))
    company.idle(cancelled)
    company.cancel(cancelled)
    theirs = [one["cancellation_id"] for one in trade.order(cancelled)["cancellations"]]
    others = [one["shipment_id"] for one in trade.shipments(honest["shipped"][0])]

    answers = []
    for [order_id] in deceived.values():
        own = [one["shipment_id"] for one in trade.shipments(order_id)]
        answers += system.on_loop(lie(system.workflow(order_id), forged_notes(own, others), theirs))
    company.idle(*every)
    go_on_unheard(company, honest)
    go_on_unheard(company, deceived)
    company.idle(*every)
    live_to_the_end(company, every, 2 * SCARCE)

    assert not any(answers)
    for name in honest:
        [true], [misled] = honest[name], deceived[name]
        assert end_of(company, misled) == end_of(company, true), name
        assert events(company, misled) == events(company, true), name
    trade.until_audit_is_clean()
