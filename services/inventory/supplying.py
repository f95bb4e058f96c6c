"""Announcing, changing and cancelling supply, each in one transaction; rows are locked in the order of transactions.py."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import structlog
from sqlmodel import Session

from services.inventory.domain import backorders as queueing
from services.inventory.domain.backorders import Supply
from services.inventory.domain.requests import Announcement, Receipt
from services.inventory.domain.supply import (
    ANNOUNCED,
    CANCELLED,
    CHANGED,
    PURCHASE_ORDER,
    ExpectedReceipt,
    Outlook,
    SupplyChange,
    WantedChange,
    cancelled,
    changed,
    outlook,
    remaining_queue,
    rescheduled,
    taken_of,
)
from services.inventory.queues import notify_moved
from services.inventory.store import allocation, backorders, expected, stock, warehouses
from services.kernel.errors import Refused
from services.kernel.ids import new_id

log = structlog.get_logger()


class Moved:
    """How many orders a change of supply has moved to other days."""

    order_count = 0


def expect(session: Session, announcement: Announcement, now: datetime) -> tuple[ExpectedReceipt, bool]:
    """Store an expected receipt, or change the one of its reference; who waits takes its date, and each order whose date that changes is told.

    Many of them are told in batches. Gives the receipt, and whether its reference was known.
    """
    place, sku = announcement.warehouse_id, announcement.sku
    warehouses.require(session, place)
    stock.take_turns(session, [sku])
    stock.open_row(session, place, sku)
    known = expected.of_reference(session, place, sku, announcement.reference)
    if known is not None:
        receipt = changed(
            known, expected_on=announcement.expected_on, quantity=announcement.quantity, kind=announcement.kind
        )
        if receipt == known:
            return known, True
        _put(session, receipt, CHANGED, announcement.announced_by, "announced again", now)
        return receipt, True
    receipt = ExpectedReceipt(
        new_id("exp"), place, sku, announcement.kind or PURCHASE_ORDER, announcement.reference, announcement.quantity,
        announcement.quantity, 0, announcement.expected_on,
    )  # fmt: skip
    with moving(session, sku, now) as moved:
        expected.announce(session, receipt)
        _note(session, receipt, ANNOUNCED, announcement.announced_by, "", now)
    log.info("receipt.expected", sku=sku, warehouse_id=place, orders=moved.order_count)
    return receipt, False


def change(session: Session, wanted: WantedChange, now: datetime) -> tuple[ExpectedReceipt, int]:
    """Give an expected receipt another day or quantity; it and how many orders that moved. The same again changes nothing."""
    stock.take_turns(session, [expected.find(session, wanted.expected_receipt_id).sku])
    known = expected.find(session, wanted.expected_receipt_id)
    receipt = rescheduled(known, wanted)
    if receipt == known:
        return known, 0
    return receipt, _put(session, receipt, CHANGED, wanted.changed_by, wanted.reason, now)


def cancel(
    session: Session, expected_receipt_id: str, reason: str, changed_by: str, now: datetime
) -> tuple[ExpectedReceipt, int]:
    """Expect nothing more of a receipt; it and how many orders that moved."""
    stock.take_turns(session, [expected.find(session, expected_receipt_id).sku])
    receipt = cancelled(expected.find(session, expected_receipt_id))
    return receipt, _put(session, receipt, CANCELLED, changed_by, reason, now)


def _put(session: Session, receipt: ExpectedReceipt, verb: str, who: str, why: str, now: datetime) -> int:
    with moving(session, receipt.sku, now) as moved:
        expected.put(session, receipt)
        _note(session, receipt, verb, who, why, now)
    log.info("receipt.changed", verb=verb, sku=receipt.sku, warehouse_id=receipt.warehouse_id, orders=moved.order_count)
    return moved.order_count


def _note(session: Session, receipt: ExpectedReceipt, verb: str, who: str, why: str, now: datetime) -> None:
    made = SupplyChange(verb, now, who, why, receipt.expected_on, receipt.remaining)
    expected.note(session, {receipt.expected_receipt_id: made})


@contextmanager
def moving(session: Session, sku: str, now: datetime) -> Iterator[Moved]:
    """Tell the orders whose expected day the block moves; the caller has the turn of the SKU."""
    queue, moved = backorders.whole_queue(session, sku), Moved()
    before = queueing.days(queue, _supply(session, sku))
    yield moved
    after = queueing.days(queue, _supply(session, sku))
    others = [one for one in queue if before[one.backorder_id] != after[one.backorder_id]]
    moved.order_count = len({one.order_id for one in others})
    notify_moved(session, others, now)


def _supply(session: Session, sku: str) -> Sequence[Supply]:
    return expected.open_supply(session, [sku]).get(sku, [])


class Arrival:
    """Goods that arrive, on their way through what was announced and the queue."""

    def __init__(self, session: Session, receipt: Receipt, now: datetime) -> None:
        self._session, self._receipt, self._now = session, receipt, now
        self._supply = _supply(session, receipt.sku)
        self._queue = backorders.whole_queue(session, receipt.sku) if self._supply else []
        self._before = queueing.days(self._queue, self._supply)

    def take_off(self) -> None:
        """Less is to come: of the receipt that is named, of that of the same reference, or of those that were to come first here."""
        here = [one for one in self._supply if one.warehouse_id == self._receipt.warehouse_id]
        come = taken_of(here, self._receipt.quantity, self._named(here))
        expected.come(self._session, here, come, self._receipt.reference, self._now)

    def _named(self, here: Sequence[Supply]) -> Supply | None:
        receipt = self._receipt
        if receipt.expected_receipt_id:
            known = expected.find(self._session, receipt.expected_receipt_id)
            if (known.warehouse_id, known.sku) != (receipt.warehouse_id, receipt.sku):
                raise Refused(
                    "EXPECTED_RECEIPT_DIFFERS",
                    f"{known.reference or known.expected_receipt_id} is {known.sku} for {known.warehouse_id}: receive that, "
                    "or name another expected receipt",
                )
            return known.supply
        return next((one for one in here if receipt.reference and one.reference == receipt.reference), None)

    def notify_others(self, free: dict[str, int], notified: set[str]) -> None:
        """Tell who still waits of the other day, once what is `free` (warehouse id → units) is given out; the orders that were `notified` know."""
        if not self._queue:
            return
        rest = remaining_queue(self._queue, free, is_fair_share=allocation.policy(self._session).is_fair_share)
        after = queueing.days(rest, _supply(self._session, self._receipt.sku))
        moved = [one for one in rest if self._before[one.backorder_id] != after[one.backorder_id]]
        notify_moved(self._session, [one for one in moved if one.order_id not in notified], self._now)


def outlook_of(session: Session, sku: str, place: str, today: date) -> Outlook:
    """What comes of a SKU at open warehouses and who gets it, as things stand on a day."""
    is_open = {one.warehouse_id for one in warehouses.every(session) if one.is_active}
    receipts = [one for one in expected.open_receipts(session, sku) if one.warehouse_id in is_open]
    queue, free = backorders.whole_queue(session, sku), stock.available(session, [sku]).get(sku, {})
    is_fair_share = allocation.policy(session).is_fair_share
    return outlook(receipts, queue, free, today.isoformat(), place, is_fair_share=is_fair_share)
