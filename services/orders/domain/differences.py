"""The difference between two versions: rows for people, and what weighs in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from services.kernel.money import Money
from services.orders.domain.changes import Difference
from services.orders.domain.order import Address, Line, Order

MONEY_KINDS = frozenset({"price", "discount", "freight", "tax", "total"})
_ALWAYS_MATERIAL = frozenset({"line_added", "substituted", "price", "address", "discount", "freight"})


def difference(before: Order, after: Order, replaced: Mapping[str, str]) -> tuple[Difference, ...]:
    """The rows in line order, then the order's own members; no row for what stays. `replaced` as an Amendment gives it."""
    return (*_line_rows(before, after, replaced), *_order_rows(before, after))


def kinds(before: Order, rows: Sequence[Difference]) -> tuple[str, ...]:
    """What kinds of difference there are, each once; the price of a line that is new is no change of a price."""
    known = {line.line_id for line in before.lines}
    counted = [row.kind for row in rows if row.kind != "total" and (row.kind != "price" or row.line_id in known)]
    return tuple(dict.fromkeys(counted))


def is_material(before: Order, after: Order, of_kinds: Sequence[str]) -> bool:
    """Whether approvals of the version before say nothing of the one after: price, more units, SKU, address, terms, an earlier day.

    A pure decrease, a later day and a split are not material.
    """
    if _ALWAYS_MATERIAL & set(of_kinds):
        return True
    units = {line.line_id: line.quantity for line in before.lines}
    has_more = any(line.quantity > units.get(line.line_id, 0) for line in after.lines)
    is_later = before.requested_on and after.requested_on and after.requested_on > before.requested_on
    return has_more or ("date" in of_kinds and not is_later)


def is_favorable(before: Order, after: Order) -> bool:
    """Whether the customer can only gain: the same goods to the same place, no dearer and no later."""
    was, now = before.totals, after.totals
    return (
        [_goods(line) for line in before.lines] == [_goods(line) for line in after.lines]
        and all(b.unit_price.amount >= a.unit_price.amount for b, a in zip(before.lines, after.lines, strict=True))
        and (before.ship_to, before.is_ship_complete) == (after.ship_to, after.is_ship_complete)
        and before.cancel_after == after.cancel_after
        and now.discount >= was.discount
        and now.freight <= was.freight
        and _is_no_later(before, after)
    )


def _goods(line: Line) -> tuple[str, str, int]:
    return line.line_id, line.sku, line.quantity


def _is_no_later(before: Order, after: Order) -> bool:
    if before.requested_on == after.requested_on:
        return True
    return (
        before.requested_on is not None and after.requested_on is not None and after.requested_on < before.requested_on
    )


def _line_rows(before: Order, after: Order, replaced: Mapping[str, str]) -> Iterator[Difference]:
    becomes = {line.line_id: line for line in after.lines}
    for line in before.lines:
        substitute = becomes.get(replaced.get(line.line_id, ""))
        if substitute is not None:
            yield from _substituted(line, substitute)
        elif line.line_id not in becomes:
            yield Difference("line_removed", _named(line), str(line.quantity), "", line.line_id)
        else:
            yield from _same_line(line, becomes[line.line_id])
    old = {*(line.line_id for line in before.lines), *replaced.values()}
    for line in after.lines:
        if line.line_id not in old:
            yield Difference("line_added", _named(line), "", str(line.quantity), line.line_id)
            yield Difference("price", f"Unit price of {line.sku}", "", str(line.unit_price), line.line_id)


def _substituted(line: Line, substitute: Line) -> Iterator[Difference]:
    was, now = f"{line.quantity} × {_named(line)}", f"{substitute.quantity} × {_named(substitute)}"
    yield Difference("substituted", f"{line.sku} replaced by {substitute.sku}", was, now, substitute.line_id)
    yield from _price_row(line, substitute)


def _same_line(line: Line, becomes: Line) -> Iterator[Difference]:
    if becomes.quantity != line.quantity:
        what = f"Quantity of {line.sku}"
        yield Difference("quantity", what, str(line.quantity), str(becomes.quantity), line.line_id)
    yield from _price_row(line, becomes)


def _price_row(line: Line, becomes: Line) -> Iterator[Difference]:
    if becomes.unit_price != line.unit_price:
        what = f"Unit price of {becomes.sku}"
        yield Difference("price", what, str(line.unit_price), str(becomes.unit_price), becomes.line_id)


def _order_rows(before: Order, after: Order) -> Iterator[Difference]:
    was, now = before.totals, after.totals
    if after.ship_to != before.ship_to:
        yield Difference("address", "Ship to", _postal(before.ship_to), _postal(after.ship_to))
    if after.requested_on != before.requested_on:
        yield Difference("date", "Requested for", str(before.requested_on or ""), str(after.requested_on or ""))
    if after.cancel_after != before.cancel_after:
        was_last, is_last = str(before.cancel_after or ""), str(after.cancel_after or "")
        yield Difference("last_day", "Last day to ship", was_last, is_last)
    if after.is_ship_complete != before.is_ship_complete:
        yield Difference("split", "Shipping", _split(before), _split(after))
    yield from _amount("discount", "Discount", was.discount, now.discount)
    yield from _amount("freight", "Freight", was.freight, now.freight)
    yield from _amount("total", "Total", was.total, now.total)


def _amount(kind: str, what: str, was: Money, now: Money) -> Iterator[Difference]:
    if was != now:
        yield Difference(kind, what, str(was), str(now))


def _named(line: Line) -> str:
    return line.sku if line.description == line.sku else f"{line.sku} ({line.description})"


def _postal(address: Address) -> str:
    place = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    return ", ".join(part for part in (address.name, address.street, place, address.country) if part)


def _split(order: Order) -> str:
    return "everything together" if order.is_ship_complete else "in parts, as available"
