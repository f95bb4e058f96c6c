"""What follows from recording or correcting a payment, in figures before and after and in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.console.accounting.names import Names
from gateway.console.accounting.values import PaymentShown
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.formats import amount
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Row:
    """A figure before and after, as people read it."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Consequences:
    """A payment as it would stand, the figures that change, what happens then, and whether a second person decides first."""

    payment: PaymentShown
    rows: list[Row]
    sentences: list[str]
    needs_second_person: bool = False


def orders_of(before: PaymentShown | None, seen: pb.PreviewPaymentResponse) -> set[str]:
    """Ids of the orders that consequences() names."""
    held = {part.order_id for part in (*(before.deposits if before else ()), *PaymentShown.of(seen.payment).deposits)}
    return held | {*seen.released_order_ids, *seen.waiting_order_ids}


def consequences(before: PaymentShown | None, seen: pb.PreviewPaymentResponse, names: Names) -> Consequences:
    """What billing says that would happen, in words; `before` is None for a payment that is not recorded yet."""
    after = PaymentShown.of(seen.payment)
    rows = [row for row in _rows(before, after, seen, names) if row.before != row.after]
    return Consequences(after, rows, list(_sentences(after, seen, names)), seen.needs_second_person)


def written(money: Money) -> str:
    """1,329.00 USD."""
    return f"{amount(money)} {money.currency}"


def _rows(
    before: PaymentShown | None, after: PaymentShown, seen: pb.PreviewPaymentResponse, names: Names
) -> Iterator[Row]:
    zero = Money.zero(after.amount.currency)
    for one in seen.invoices:
        opens = (Money(of.minor_units, zero.currency) for of in (one.open_before, one.open_after))
        yield Row(f"Open on invoice {one.number} ({one.order_number})", *map(written, opens))
    held_before = {part.order_id: part.remaining for part in before.deposits} if before else {}
    held_after = {part.order_id: part.remaining for part in after.deposits}
    for order_id in {**held_before, **held_after}:
        held = (of.get(order_id, zero) for of in (held_before, held_after))
        yield Row(f"Held for order {names.order(order_id)}", *map(written, held))
    unapplied, returned = (before.unapplied, before.returned) if before else (zero, zero)
    yield Row("Unapplied", written(unapplied), written(after.unapplied))
    yield Row("Returned to the payer", written(returned), written(after.returned))
    if before is not None:
        yield Row("Customer", names.customer(before.customer_id), names.customer(after.customer_id))


def _sentences(after: PaymentShown, seen: pb.PreviewPaymentResponse, names: Names) -> Iterator[str]:
    for order_id in seen.released_order_ids:
        yield f"Order {names.order(order_id)} has its money: its hold is released automatically, and its goods may leave."
    for order_id in seen.waiting_order_ids:
        yield (
            f"Order {names.order(order_id)} is waiting for its money again: it is put on hold, and what is not picked yet "
            "is recalled from the warehouse."
        )
    if after.unapplied.minor and after.is_on_account:
        yield f"{written(after.unapplied)} stays unapplied until somebody applies it."
    elif after.unapplied.minor:
        yield f"{written(after.unapplied)} exceeds what is open and pays the customer's next invoice."
    if after.reversed_at is not None:
        yield "The bank reference is free again: the right payment may be recorded under it."
