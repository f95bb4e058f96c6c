"""Makes the invoices that are due by their customers' policies: of a delivery, of a week or month that is over, of an accepted order; and those of deposits. Also after a downtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from oms.orders.v1 import orders_pb2
from services.billing import at_order, consolidating, deposit_invoicing, previewing, wire
from services.billing.domain.billable import GoodsToBill, OrderToBill, lines_of, units_of
from services.billing.domain.consolidated import by_number, consolidation_key, oldest_first, on_one
from services.billing.domain.invoices import Invoice
from services.billing.store import at_order as at_order_store
from services.billing.store import billable, deposit_invoices
from services.kernel.clock import Clock, business_day, utc_now
from services.kernel.errors import Conflict
from services.kernel.invoicing import PERIODIC
from services.runtime.background import BackgroundThread
from services.runtime.db import Database
from services.runtime.grpc_client import Unreachable

log = structlog.get_logger()

BATCH = 50
POLL_S = 2.0
_PAUSE_S = 5.0
_INVOICE, _DEPOSIT_INVOICE = "invoice", "deposit_invoice"
_AGAIN_AFTER = timedelta(minutes=1)
"""When an order whose invoice cannot be made is tried again: it says the same each time, until somebody mends it."""

ReadOrder = Callable[[str], orders_pb2.Order]
"""Order id → the order as it stands: what has left is billed by its version in force, whatever it was when it left."""


class InvoiceRunner(BackgroundThread):
    """A thread that makes due invoices, each in a transaction of its own; what another one made meanwhile it leaves alone."""

    def __init__(
        self,
        database: Database,
        read_order: ReadOrder,
        clock: Clock = utc_now,
        rest: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__("invoices", rest)
        self._database = database
        self._read_order = read_order
        self._clock = clock
        self._failed: dict[str, datetime] = {}

    def wake(self) -> None:
        """Something may be due."""
        self._wake.call()

    def _run(self) -> None:
        while not self._wake.is_stopped():
            self._wake.wait(POLL_S)
            try:
                self.issue_due()
                self.issue_orders()
                self.issue_deposits()
            except Unreachable as absence:
                log.warning("invoice.orders_unreachable", error=str(absence))
                self._wake.rest(_PAUSE_S)
            except Exception:  # a database that is briefly away must not end the thread; what is due stays due
                log.exception("invoice.runner_failed")
                self._wake.rest(_PAUSE_S)

    def issue_due(self) -> int:
        """Make all that are due today, in the company's time zone; how many it made. One that fails leaves the others their turn.

        Raises when orders or the database is away: no other could be made then.
        """
        today, after, made = business_day(self._clock(), self._database.time_zone), ("", ""), 0
        tried: set[tuple[str, str]] = set()
        while not self._wake.is_stopped():
            with self._database.reading() as session:
                found = billable.due(session, today, after, BATCH)
            made += sum(
                self._is_issued(_INVOICE, order_id, partial(self._issue, day=day, tried=tried))
                for day, order_id in found
                if (day, order_id) not in tried and not self._wake.is_stopped()
            )
            if len(found) < BATCH:
                break
            after = found[-1]
        return made

    def issue_orders(self) -> int:
        """Make those of orders that are invoiced before they ship; how many it made."""
        return self._issue_all(_INVOICE, at_order_store.due, self._issue_order)

    def issue_deposits(self) -> int:
        """Make those of cash that has come for orders with a deposit; how many it made."""
        return self._issue_all(_DEPOSIT_INVOICE, deposit_invoices.due, self._issue_deposit)

    def _issue_all(self, what: str, due: Callable[[Session, str, int], list[str]], issue: Callable[[str], bool]) -> int:
        after, made = "", 0
        while not self._wake.is_stopped():
            with self._database.reading() as session:
                found = due(session, after, BATCH)
            made += sum(self._is_issued(what, order_id, issue) for order_id in found if not self._wake.is_stopped())
            if len(found) < BATCH:
                break
            after = found[-1]
        return made

    def _is_issued(self, what: str, order_id: str, issue: Callable[[str], bool]) -> bool:
        key = f"{what}/{order_id}"
        if self._failed.get(key, self._clock()) > self._clock():
            return False
        self._failed.pop(key, None)
        try:
            return issue(order_id)
        except (Unreachable, OperationalError):
            raise
        except Conflict as conflict:  # it is being changed, or somebody was quicker
            log.info("invoice.waits", order_id=order_id, document=what, reason=conflict.reason)
        except Exception:
            self._fail(what, order_id)
            log.exception("invoice.not_issued", order_id=order_id, document=what)
        return False

    def _issue(self, order_id: str, day: str, tried: set[tuple[str, str]]) -> bool:
        """Make the invoice of an order that bears this day, of all its shipments that wait for it; whether any still did.

        One of a week or month is of all orders of the customer that may be on it, and none of them is `tried` again in this round.
        While one of them is being changed, all wait.
        """
        orders = self._together(order_id, day, tried)
        tried.update((day, of.order.order_id) for of in orders)
        try:
            invoice = self._invoiced(orders, day)
        except (Conflict, Unreachable, OperationalError):
            raise
        except Exception:
            if len(orders) == 1:
                raise
            invoice = self._invoiced(self._sound(orders, day), day)
        if invoice is None:
            return False
        count = max(len(invoice.shares), 1)
        log.info(
            "invoice.issued", order_id=order_id, invoice_id=invoice.invoice_id, number=invoice.number, orders=count
        )
        return True

    def _invoiced(self, orders: Sequence[OrderToBill], day: str) -> Invoice | None:
        with self._database.transaction() as session:
            goods = [each for of in orders if (each := _due(session, of, day))]
            return consolidating.issue(session, goods, self._clock()) if goods else None

    def _sound(self, orders: Sequence[OrderToBill], day: str) -> list[OrderToBill]:
        """Those of these orders that can be invoiced; the others keep none of them waiting."""
        sound = []
        for of in orders:
            try:
                previewing.tried(self._database, partial(_tried, of=of, day=day, now=self._clock()))
            except (Conflict, OperationalError):
                raise
            except Exception:
                self._fail(_INVOICE, of.order.order_id)
                log.exception("invoice.not_issued", order_id=of.order.order_id, document=_INVOICE)
            else:
                sound.append(of)
        return sound

    def _together(self, order_id: str, day: str, tried: set[tuple[str, str]]) -> list[OrderToBill]:
        """The order, and those that are due with it, not tried and may be on its invoice, the oldest first; one that cannot be read waits."""
        own = self._read(order_id)
        key = consolidation_key(own)
        with self._database.reading() as session:
            waiting = billable.due_together(session, order_id, day)
        if key is None or not waiting or waiting[0].policy not in PERIODIC:
            return [own]
        numbers = {one.order_id: one.order_number for one in waiting if one.order_id != order_id}
        others = sorted((one for one in numbers if (day, one) not in tried), key=lambda one: by_number(numbers[one]))
        alike = (of for one in others if (of := self._readable(one)) and consolidation_key(of) == key)
        return oldest_first(on_one(chain([own], alike), lines_of(waiting)))

    def _read(self, order_id: str) -> OrderToBill:
        return wire.order_to_bill(self._read_order(order_id), self._database.time_zone)

    def _readable(self, order_id: str) -> OrderToBill | None:
        """An order as it stands; None for one that is wrong: it says so in its own turn, and is tried again after a while."""
        if self._failed.get(f"{_INVOICE}/{order_id}", self._clock()) > self._clock():
            return None
        try:
            return self._read(order_id)
        except Unreachable:
            raise
        except Exception:
            self._fail(_INVOICE, order_id)
            log.exception("invoice.not_issued", order_id=order_id, document=_INVOICE)
            return None

    def _fail(self, what: str, order_id: str) -> None:
        """It is tried again after a while; what stays due too long is an invariant."""
        self._failed[f"{what}/{order_id}"] = self._clock() + _AGAIN_AFTER

    def _issue_order(self, order_id: str) -> bool:
        """Invoice what is not invoiced of an order; whether anything was left."""
        order = self._read(order_id)
        with self._database.transaction() as session:
            invoice = at_order.invoice_due(session, order, self._clock())
        if invoice is not None:
            log.info("invoice.issued", order_id=order_id, invoice_id=invoice.invoice_id, number=invoice.number)
        return invoice is not None

    def _issue_deposit(self, order_id: str) -> bool:
        """Invoice the cash of an order that is on no deposit invoice; whether there was any that can be."""
        order = self._read(order_id)
        with self._database.transaction() as session:
            posted = deposit_invoicing.post_due(session, order, self._clock())
        if posted is None:  # more has come than the order comes to: that is no deposit, and it stays so for a while
            self._failed[f"{_DEPOSIT_INVOICE}/{order_id}"] = self._clock() + _AGAIN_AFTER
            return False
        named = {"deposit_invoice_id": posted.deposit_invoice_id, "number": posted.number}
        log.info("deposit_invoice.issued", order_id=order_id, **named)
        return True


def _tried(session: Session, of: OrderToBill, day: str, now: datetime) -> None:
    if goods := _due(session, of, day):
        consolidating.issue(session, [goods], now)


def _due(session: Session, of: OrderToBill, day: str) -> GoodsToBill | None:
    """What of an order is due on a day; None where somebody was quicker."""
    waiting = billable.due_of_order(session, of.order.order_id, day)
    if not waiting:
        return None
    return GoodsToBill(of, tuple(one.shipment_id for one in waiting), units_of(waiting), date.fromisoformat(day))
