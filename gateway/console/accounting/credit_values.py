"""An invoice and its credit notes as pages show them, and what follows from another one, in figures and in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.console import labels
from gateway.console.accounting.billed import BilledLine, parts_of
from gateway.console.accounting.consequences import Row, written
from gateway.console.accounting.names import Names
from gateway.console.accounting.values import InvoiceShown, money
from gateway.console.lines import LINES
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money

REASONS = {
    "billing_error": "Billing error",
    "price": "Price",
    "shortage": "Short delivery",
    "damaged": "Damaged goods",
    "returned": "Returned goods",
    "goodwill": "Goodwill",
    "other": "Other",
}
"""Reason code → what it is called."""
_SETTLED = (
    ("Paid", "paid"), ("Early payment discount", "discount_taken"), ("Paid where it was bought", "settled_elsewhere"),
    ("Credited", "credited"), ("Written off", "written_off"),
)  # fmt: skip

_OPEN = "Open on the invoice"


@dataclass(frozen=True, slots=True)
class BilledLines:
    """Lines in their order from the `first` on, LINES at most, of the `count` that the invoice has."""

    rows: Sequence[BilledLine]
    first: int
    count: int

    @property
    def last(self) -> int:
        """The place of the last line that is shown."""
        return self.first + len(self.rows) - 1

    @property
    def more(self) -> int:
        """How many lines are behind it."""
        return self.count - self.last


@dataclass(frozen=True, slots=True)
class CreditNoteShown:
    """A credit note; its `parts` are the tax and those that are not zero, and `left_over` is (payment id, what of it lies on account, or is held for the order)."""

    number: str
    invoice_id: str
    credited_on: str
    reason_code: str
    reason: str
    lines: tuple[BilledLine, ...]
    parts: tuple[tuple[str, Money], ...]
    total: Money
    cash: Money
    recovered: Money
    discount_lost: Money
    left_over: tuple[tuple[str, Money], ...]
    asked_by: str
    approved_by: str
    is_held: bool

    @property
    def reason_words(self) -> str:
        """What its reason is called."""
        return REASONS.get(self.reason_code, self.reason_code)

    @classmethod
    def of(cls, row: pb.CreditNote) -> CreditNoteShown:
        """From the wire."""
        currency = row.total.currency
        return cls(
            row.number,
            row.invoice_id,
            row.credited_on,
            row.reason_code,
            row.reason,
            tuple(BilledLine.of(line) for line in row.lines),
            parts_of(row),
            money(row.total, currency),
            money(row.cash, currency),
            money(row.recovered, currency),
            money(row.discount_lost, currency),
            tuple((one.payment_id, money(one.amount, currency)) for one in row.left_over),
            row.asked_by,
            row.approved_by,
            row.is_held,
        )


@dataclass(frozen=True, slots=True)
class InvoiceDetail:
    """An invoice with its lines and figures: `parts` add up to its total, `settled` lead from there to what is open."""

    shown: InvoiceShown
    lines: BilledLines
    parts: tuple[tuple[str, Money], ...]
    settled: tuple[tuple[str, Money], ...]
    freight_left: Money
    is_settled_elsewhere: bool

    @property
    def is_creditable(self) -> bool:
        """Whether something of it can still be credited."""
        credited = dict(self.settled).get("Credited")
        is_left = credited is None or credited != self.shown.total
        return bool(self.shown.total.minor) and not self.shown.shares and is_left and not self.is_settled_elsewhere


@dataclass(frozen=True, slots=True)
class Corrected:
    """What would become of an invoice: the credit note, None for a write-off, and what changes and happens then."""

    note: CreditNoteShown | None
    rows: list[Row]
    sentences: list[str]
    needs_second_person: bool


def detail(row: pb.Invoice, notes: Sequence[pb.CreditNote], first: int = 1) -> InvoiceDetail:
    """An invoice, with what its credit notes have credited, and the page of lines that has the `first`."""
    currency = row.total.currency
    credited = Counter[tuple[str, str]]()
    for note in notes:
        order = note.order_number if row.shares else ""
        credited.update({(order, line.line_id): line.quantity for line in note.lines})
    start = (min(first, max(len(row.lines), 1)) - 1) // LINES * LINES
    lines = [
        BilledLine.of(line, credited[line.order_number, line.line_id]) for line in row.lines[start : start + LINES]
    ]
    freight = money(row.freight, currency)
    settled = [(words, money(getattr(row, name), currency)) for words, name in _SETTLED]
    deposits = [(f"of it deposit {one.deposit_invoice_number}", money(one.amount, currency)) for one in row.deposits]
    settled[1:1] = deposits  # they are in what is paid
    return InvoiceDetail(
        InvoiceShown.of(row),
        BilledLines(lines, start + 1, len(row.lines)),
        parts_of(row),
        tuple((words, part) for words, part in settled if part.minor),
        freight - Money.total((money(note.freight, currency) for note in notes), currency),
        bool(row.settled_elsewhere.minor_units),
    )


def corrected(seen: pb.PreviewCreditNoteResponse, names: Names) -> Corrected:
    """What billing says that would happen, in words."""
    note = CreditNoteShown.of(seen.credit_note) if seen.HasField("credit_note") else None
    rows = [row for row in _rows(seen) if row.before != row.after or row.what == _OPEN]
    return Corrected(note, rows, list(_sentences(note, seen, names)), seen.needs_second_person)


def _rows(seen: pb.PreviewCreditNoteResponse) -> Iterator[Row]:
    currency = seen.before.total.currency
    for words, name in ((_OPEN, "open"), *_SETTLED):
        amounts = (money(getattr(invoice, name), currency) for invoice in (seen.before, seen.after))
        yield Row(words, *map(written, amounts))
    yield Row("Status", labels.status(seen.before.status), labels.status(seen.after.status))


def _sentences(note: CreditNoteShown | None, seen: pb.PreviewCreditNoteResponse, names: Names) -> Iterator[str]:
    if note is not None and note.recovered.minor:
        yield f"{written(note.recovered)} of it had been written off and no longer counts as bad debt."
    if note is not None and note.discount_lost.minor:
        yield f"{written(note.discount_lost)} of it was given as discount for paying early: nobody paid that, so nobody gets it back."
    if note is not None and note.cash.minor:
        yield f"{written(note.cash)} of it was paid: it is left on account until somebody refunds it or applies it to another invoice."
    for order_id in seen.released_order_ids:
        yield f"Order {names.order(order_id)} has its money: its hold is released automatically, and its goods may leave."
    if note is not None:
        yield "The customer is mailed the credit note. It cannot be changed afterwards."
