"""Makes the invoices that are due by their customers' policies: of a delivery, of a week or month that is over, of an accepted order; and those of deposits. Also after a downtime."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from oms.orders.v1 import orders_pb2
from services.billing import at_order, deposit_invoicing, invoicing, wire
from services.billing.domain.billable import GoodsToBill, units_of
from services.billing.store import at_order as at_order_store
from services.billing.store import billable, deposit_invoices
from services.kernel.clock import Clock, business_day, utc_now
from services.kernel.errors import Conflict
from services.runtime.db import Database
from services.runtime.grpc_client import Unreachable
from services.runtime.wake import Wake

log = structlog.get_logger()

BATCH = 50
POLL_S = 2.0
_PAUSE_S = 5.0
_INVOICE, _DEPOSIT_INVOICE = "invoice", "deposit_invoice"
_AGAIN_AFTER = timedelta(minutes=1)
"""When an order whose invoice cannot be made is tried again: it says the same each time, until somebody mends it."""

ReadOrder = Callable[[str], orders_pb2.Order]
"""Order id → the order as it stands: what has left is billed by its version in force, whatever it was when it left."""


class InvoiceRunner:
    """A thread that makes due invoices, each in a transaction of its own; what another one made meanwhile it leaves alone."""

    def __init__(
        self,
        database: Database,
        read_order: ReadOrder,
        clock: Clock = utc_now,
        rest: Callable[[float], object] | None = None,
    ) -> None:
        self._database = database
        self._read_order = read_order
        self._clock = clock
        self._wake = Wake(rest)
        self._failed: dict[str, datetime] = {}
        self._thread = threading.Thread(target=self._run, daemon=True, name="invoices")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the invoice in hand and stop."""
        self._wake.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

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
        while not self._wake.is_stopped():
            with self._database.reading() as session:
                found = billable.due(session, today, after, BATCH)
            made += sum(
                self._is_issued(_INVOICE, order_id, partial(self._issue, day=day))
                for day, order_id in found
                if not self._wake.is_stopped()
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
        except Exception:  # whatever it is, it is tried again; what stays due too long is an invariant
            self._failed[key] = self._clock() + _AGAIN_AFTER
            log.exception("invoice.not_issued", order_id=order_id, document=what)
        return False

    def _issue(self, order_id: str, day: str) -> bool:
        """Make the invoice of an order that bears this day, of all its shipments that wait for it; whether any still did."""
        order = wire.order_to_bill(self._read_order(order_id), self._database.time_zone)
        with self._database.transaction() as session:
            waiting = billable.due_of_order(session, order_id, day)
            if not waiting:
                return False
            shipment_ids = tuple(one.shipment_id for one in waiting)
            goods = GoodsToBill(order, shipment_ids, units_of(waiting), date.fromisoformat(day))
            invoice = invoicing.issue_waiting(session, goods, self._clock())
        log.info("invoice.issued", order_id=order_id, invoice_id=invoice.invoice_id, number=invoice.number)
        return True

    def _issue_order(self, order_id: str) -> bool:
        """Invoice what is not invoiced of an order; whether anything was left."""
        order = wire.order_to_bill(self._read_order(order_id), self._database.time_zone)
        with self._database.transaction() as session:
            invoice = at_order.invoice_due(session, order, self._clock())
        if invoice is not None:
            log.info("invoice.issued", order_id=order_id, invoice_id=invoice.invoice_id, number=invoice.number)
        return invoice is not None

    def _issue_deposit(self, order_id: str) -> bool:
        """Invoice the cash of an order that is on no deposit invoice; whether there was any that can be."""
        order = wire.order_to_bill(self._read_order(order_id), self._database.time_zone)
        with self._database.transaction() as session:
            posted = deposit_invoicing.post_due(session, order, self._clock())
        if posted is None:  # more has come than the order comes to: that is no deposit, and it stays so for a while
            self._failed[f"{_DEPOSIT_INVOICE}/{order_id}"] = self._clock() + _AGAIN_AFTER
            return False
        named = {"deposit_invoice_id": posted.deposit_invoice_id, "number": posted.number}
        log.info("deposit_invoice.issued", order_id=order_id, **named)
        return True
