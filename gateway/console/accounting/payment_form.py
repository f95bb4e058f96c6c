"""The forms of payments: what people typed becomes the body that the API takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from gateway.console import entries
from gateway.console.accounting import asking
from gateway.console.accounting.values import InvoiceShown, PaymentShown, WaitingShown
from gateway.console.visitor import Visitor
from gateway.http.neighbors.payment_corrections import ReapplicationInput, RefundInput
from gateway.http.neighbors.payments import PaymentApplicationInput, PaymentInput, PaymentOrderInput, PaymentUse
from gateway.http.plumbing.inputs import Currency, Identity, MoneyInput, Name, Reference
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money

NEW_PARTS = 3
"""Lines of the form for what is not listed in it."""
_CURRENCY: TypeAdapter[str] = TypeAdapter(Currency)
_REFERENCE: TypeAdapter[str] = TypeAdapter(Reference)
_REASON: TypeAdapter[str] = TypeAdapter(Name)
_IDENTITY: TypeAdapter[str] = TypeAdapter(Identity)
_USE: TypeAdapter[PaymentUse] = TypeAdapter(PaymentUse)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a customer's payment may be for: its oldest invoices with something open, the first due of them first, and orders that wait."""

    invoices: list[InvoiceShown]
    waiting: list[WaitingShown]


def candidates(who: Visitor, customer_id: str, before: PaymentShown | None = None) -> Candidates:
    """What a payment of this customer may be for; what `before` pays now is among it."""
    invoices = asking.unpaid(who, customer_id).rows
    waiting = asking.waiting(who, customer_id=customer_id, limit=100).rows
    if before is not None and before.customer_id == customer_id:
        shown = {one.invoice_id for one in invoices}
        paid = {part.invoice_id for part in before.applications} - shown
        invoices = [*asking.invoices_by_id(who, paid).values(), *invoices]
    return Candidates(invoices, waiting)


def payment_of(who: Visitor, customer_id: str, fields: Mapping[str, str]) -> PaymentInput:
    """A payment to be recorded; InvalidArgument and NotFound for what cannot be read."""
    amount = amount_of(fields.get("amount", ""), currency_of(fields))
    use = use_of(who, fields, amount.currency)
    reference = entries.entered(_REFERENCE, fields.get("reference", ""), "bank reference", "REFERENCE_UNREADABLE")
    return PaymentInput(
        customer_id=customer_id,
        amount=amount,
        reference=reference,
        applications=use.applications,
        orders=use.orders,
        on_account=use.on_account,
        received_on=entries.day(fields["received_on"], "received on") if fields.get("received_on") else None,
    )


def reapplication_of(who: Visitor, before: PaymentShown, customer_id: str, fields: Mapping[str, str]) -> ReapplicationInput:  # fmt: skip
    """Another use of a payment."""
    use = use_of(who, fields, before.amount.currency)
    return ReapplicationInput(
        customer_id=customer_id if customer_id != before.customer_id else None,
        applications=use.applications,
        orders=use.orders,
        on_account=use.on_account,
        reason=reason_of(fields),
    )


def refund_of(before: PaymentShown, fields: Mapping[str, str]) -> RefundInput:
    """Cash that goes back; `from` is the id of the order that it was held for, empty for what is unapplied."""
    amount = amount_of(fields.get("amount", ""), before.amount.currency)
    order_id = fields.get("from", "")
    if order_id:
        entries.entered(_IDENTITY, order_id, "out of", "ORDER_UNREADABLE")
    return RefundInput(amount=amount, order_id=order_id or None, reason=reason_of(fields))


def reason_of(fields: Mapping[str, str]) -> str:
    """Why a payment is corrected."""
    return entries.entered(_REASON, fields.get("reason", ""), "reason", "REASON_MISSING")


def currency_of(fields: Mapping[str, str]) -> str:
    """A currency that exists."""
    typed = entries.entered(_CURRENCY, fields.get("currency", "").upper(), "currency", "CURRENCY_UNREADABLE")
    return Money.zero(typed).currency


def amount_of(typed: str, currency: str, what: str = "amount") -> MoneyInput:
    """An amount above zero."""
    found = entries.money(typed, currency, what)
    if not found.minor:
        raise InvalidArgument("AMOUNT_TOO_SMALL", f"{what}: must be more than 0")
    return MoneyInput(amount=found.text, currency=currency)


def use_of(who: Visitor, fields: Mapping[str, str], currency: str) -> PaymentUse:
    """What a payment is for: a field of an amount for each that is listed, and lines that name an invoice or an order."""
    parts = [*_listed(fields, currency), *_named(who, fields, currency)]
    invoices = [PaymentApplicationInput(invoice_id=key, amount=part) for kind, key, part in parts if kind == "invoice"]
    orders = [PaymentOrderInput(order_id=key, amount=part) for kind, key, part in parts if kind == "order"]
    use = {"applications": invoices, "orders": orders, "on_account": fields.get("on_account") == "yes"}
    return entries.entered(_USE, use, "what it is for", "USE_UNREADABLE")


def _listed(fields: Mapping[str, str], currency: str) -> Iterator[tuple[str, str, MoneyInput]]:
    for name, typed in fields.items():
        kind, _, key = name.partition("-")
        if typed and key and kind in ("invoice", "order"):
            entries.entered(_IDENTITY, key, kind, "PART_UNREADABLE")
            yield kind, key, amount_of(typed, currency, fields.get(f"name-{key}") or f"amount for the {kind}")


def _named(who: Visitor, fields: Mapping[str, str], currency: str) -> Iterator[tuple[str, str, MoneyInput]]:
    for row in range(1, NEW_PARTS + 1):
        typed, given = fields.get(f"part-{row}", ""), fields.get(f"part-amount-{row}", "")
        if not (typed or given):
            continue
        if not typed:
            raise InvalidArgument(
                "PART_UNNAMED", f"enter the invoice or order that {given} is for, or clear the amount"
            )
        entries.entered(_IDENTITY, typed, "invoice or order", "PART_UNREADABLE")
        amount = amount_of(given, currency, f"amount for {typed}")
        if typed.upper().startswith("INV-"):
            yield "invoice", asking.invoice_numbered(who, typed).invoice_id, amount
        else:
            yield "order", typed, amount
