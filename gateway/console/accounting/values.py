"""Payments, invoices, sales and balances as pages show them: amounts as money, instants as instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.clock import from_micros
from services.kernel.money import Money


def money(of: types_pb2.Money, currency: str) -> Money:
    """An amount; zero of the currency for one that was never set."""
    return Money(of.minor_units, of.currency or currency)


def moment(micros: int) -> datetime | None:
    """An instant; None for one that has not come."""
    return from_micros(micros) if micros else None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a payment pays of an invoice."""

    invoice_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Held:
    """Cash of a payment for an order: what was given, and what of it no invoice has deducted yet."""

    order_id: str
    amount: Money
    remaining: Money


@dataclass(frozen=True, slots=True)
class PaymentShown:
    """A payment and where its cash is."""

    payment_id: str
    customer_id: str
    reference: str
    amount: Money
    applications: tuple[Applied, ...]
    deposits: tuple[Held, ...]
    unapplied: Money
    returned: Money
    is_on_account: bool
    received_at: datetime | None
    reversed_at: datetime | None
    received_on: str = ""
    is_by_card: bool = False

    @classmethod
    def of(cls, row: pb.Payment) -> PaymentShown:
        """From the wire."""
        currency = row.amount.currency
        return cls(
            row.payment_id,
            row.customer_id,
            row.reference,
            money(row.amount, currency),
            tuple(Applied(part.invoice_id, money(part.amount, currency)) for part in row.applications),
            tuple(
                Held(part.order_id, money(part.amount, currency), money(part.remaining, currency))
                for part in row.deposits
            ),
            money(row.unapplied, currency),
            money(row.returned, currency),
            row.is_on_account,
            moment(row.received_at_micros),
            moment(row.reversed_at_micros),
            row.received_on,
            row.is_by_card,
        )

    @property
    def applied(self) -> Money:
        """What of it pays invoices."""
        return Money.total((part.amount for part in self.applications), self.amount.currency)

    @property
    def held(self) -> Money:
        """What of it is held for orders."""
        return Money.total((part.remaining for part in self.deposits), self.amount.currency)

    @property
    def state(self) -> str:
        """The word for where most attention is due: reversed, unapplied, held, refunded or applied."""
        if self.reversed_at is not None:
            return "reversed"
        found = (("unapplied", self.unapplied), ("held", self.held), ("refunded", self.returned))
        return next((word for word, amount in found if amount.minor), "applied")


@dataclass(frozen=True, slots=True)
class ShareShown:
    """What one order has of an invoice of several."""

    invoice_id: str
    order_id: str
    order_number: str
    po_number: str
    total: Money
    open: Money


@dataclass(frozen=True, slots=True)
class InvoiceShown:
    """An invoice and what is open on it; `due_on` is an ISO date, empty while it waits for its goods to arrive.

    `pays_early` settles it until the ISO date `discount_until`; None and empty when no discount for paying early can be had.
    One of several orders has their `shares` and no order; a share names it by `consolidated_id`.
    """

    invoice_id: str
    number: str
    order_id: str
    order_number: str
    customer_id: str
    invoiced_on: str
    due_on: str
    total: Money
    open: Money
    status: str
    discount_until: str = ""
    pays_early: Money | None = None
    consolidated_id: str = ""
    shares: tuple[ShareShown, ...] = ()

    @property
    def key(self) -> str:
        """What its page is found by: its number, or its identity for a share, whose number others have, too."""
        return self.invoice_id if self.consolidated_id else self.number

    @classmethod
    def of(cls, row: pb.Invoice) -> InvoiceShown:
        """From the wire."""
        currency = row.total.currency
        return cls(
            row.invoice_id,
            row.number,
            row.order_id,
            row.order_number,
            row.customer_id,
            row.invoiced_on,
            row.due_on,
            money(row.total, currency),
            money(row.open, currency),
            row.status,
            row.early_discount.until,
            money(row.early_discount.pays, currency) if row.early_discount.until else None,
            row.consolidated_invoice_id,
            tuple(
                ShareShown(
                    one.invoice_id,
                    one.order_id,
                    one.order_number,
                    one.po_number,
                    money(one.total, currency),
                    money(one.open, currency),
                )
                for one in row.shares
            ),
        )


@dataclass(frozen=True, slots=True)
class WaitingShown:
    """An order that waits for credit or cash."""

    order_id: str
    customer_id: str
    amount: Money
    payment_method: str
    waiting_on: str
    given: Money
    missing: Money
    since: datetime | None

    @classmethod
    def of(cls, row: pb.WaitingOrder) -> WaitingShown:
        """From the wire."""
        currency = row.amount.currency
        return cls(
            order_id=row.order_id,
            customer_id=row.customer_id,
            amount=money(row.amount, currency),
            payment_method=row.payment_method,
            waiting_on=row.waiting_on,
            given=money(row.given, currency),
            missing=money(row.missing, currency),
            since=moment(row.waiting_since_micros),
        )


@dataclass(frozen=True, slots=True)
class ReceivableShown:
    """What a customer owes in one currency by age past the due date, and cash that pays no invoice yet."""

    customer_id: str
    current: Money
    days_30: Money
    days_60: Money
    older: Money
    unapplied: Money
    overdue_since: str

    @classmethod
    def of(cls, row: pb.Receivable) -> ReceivableShown:
        """From the wire."""
        return cls(
            customer_id=row.customer_id,
            current=Money(row.current_minor, row.currency),
            days_30=Money(row.days_30_minor, row.currency),
            days_60=Money(row.days_60_minor, row.currency),
            older=Money(row.older_minor, row.currency),
            unapplied=Money(row.unapplied_minor, row.currency),
            overdue_since=row.overdue_since,
        )

    @property
    def overdue(self) -> Money:
        """What is past its due date."""
        return self.days_30 + self.days_60 + self.older

    @property
    def open(self) -> Money:
        """All that is open."""
        return self.current + self.overdue


@dataclass(frozen=True, slots=True)
class SaleShown:
    """What a marketplace or a till owes for what was shipped under one of its references."""

    channel: str
    reference: str
    order_id: str
    order_number: str
    due: Money
    paid_out: Money
    fees: Money
    open: Money
    status: str
    sold_at: datetime | None

    @classmethod
    def of(cls, row: pb.MarketplaceSale) -> SaleShown:
        """From the wire."""
        currency = row.due.currency
        return cls(
            channel=row.channel,
            reference=row.reference,
            order_id=row.order_id,
            order_number=row.order_number,
            due=money(row.due, currency),
            paid_out=money(row.paid_out, currency),
            fees=money(row.fees, currency),
            open=money(row.open, currency),
            status=row.status,
            sold_at=moment(row.sold_at_micros),
        )


@dataclass(frozen=True, slots=True)
class PayoutShown:
    """What a marketplace or a till paid out; `lines` are (reference of the sale, cash, fees)."""

    payout_id: str
    channel: str
    reference: str
    amount: Money
    fees: Money
    lines: tuple[tuple[str, Money, Money], ...]
    recorded_at: datetime | None

    @classmethod
    def of(cls, row: pb.Payout) -> PayoutShown:
        """From the wire."""
        currency = row.amount.currency
        return cls(
            row.payout_id,
            row.channel,
            row.reference,
            money(row.amount, currency),
            money(row.fees, currency),
            tuple((line.reference, money(line.amount, currency), money(line.fees, currency)) for line in row.lines),
            moment(row.recorded_at_micros),
        )
