"""What a customer asks for in place of goods that come back: checked, and priced as of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import InvalidArgument, Refused
from services.orders.domain.order import CASH_ON_DELIVERY, Order
from services.orders.domain.pricing import reference_price
from services.orders.domain.returnable import LineToReturn
from services.orders.domain.returns import ReturnLine
from services.orders.store import masterdata
from services.runtime import sessions


def replaced(
    session: Session, order: Order, lines: Sequence[ReturnLine], asked: Sequence[LineToReturn], now: datetime
) -> tuple[ReturnLine, ...]:
    """The lines with what replaces them: the same SKU at the price that was paid, another one at today's price.

    InvalidArgument SKU_UNKNOWN, QUANTITY_MISSING; Refused SKU_NOT_SELLABLE, PRICE_MISSING, and MORE_THAN_RETURNED where more of the same SKU is asked for than comes back.
    """
    wanted = {one.line_id: one for one in asked if one.replace_sku}
    if not wanted:
        return tuple(lines)
    known = masterdata.known_skus(session, [one.replace_sku for one in wanted.values()])
    named = {key: replace(one, replace_sku=known[one.replace_sku]) for key, one in wanted.items()}
    prices = _prices(session, order, lines, named, now)
    return tuple(
        replace(
            line,
            replace_sku=named[line.line_id].replace_sku,
            replace_quantity=_units(line, named[line.line_id]),
            replace_price=prices.get(line.line_id, ""),
        )
        if line.line_id in named
        else line
        for line in lines
    )


def _units(line: ReturnLine, asked: LineToReturn) -> int:
    units = asked.replace_quantity or line.quantity
    if asked.replace_sku == line.sku and units > line.quantity:
        sentence = f"line {line.line_id}: {line.quantity} of {line.sku} come back, so at most as many replace them, not {units}: order the rest"
        raise Refused("MORE_THAN_RETURNED", sentence, line_id=line.line_id, most=str(line.quantity))
    return units


def _prices(
    session: Session,
    order: Order,
    lines: Sequence[ReturnLine],
    named: Mapping[str, LineToReturn],
    now: datetime,
) -> dict[str, str]:
    """Line id → what a unit of another SKU costs the customer today."""
    others = {
        line.line_id: named[line.line_id].replace_sku
        for line in lines
        if line.line_id in named and named[line.line_id].replace_sku != line.sku
    }
    products = masterdata.products_of(session, list(others.values()))
    agreements = masterdata.agreements_of(session, order.customer_id, list(others.values()))
    today, found = sessions.business_day(session, now), {}
    for line in lines:
        sku = others.get(line.line_id)
        if sku is None:
            continue
        product, units = products.get(sku), named[line.line_id].replace_quantity or line.quantity
        if product is None:
            raise InvalidArgument(
                "SKU_UNKNOWN", f"there is no product {sku}: check what is to replace line {line.line_id}"
            )
        if not product.is_sellable:
            raise Refused(
                "SKU_NOT_SELLABLE", f"{sku} is not sold any more: choose another product", line_id=line.line_id
            )
        price = reference_price(product, agreements.get(sku, ()), order.currency, today, units)
        if price is None:
            raise Refused(
                "PRICE_MISSING", f"{sku} has no price in {order.currency}: choose another product", line_id=line.line_id
            )
        found[line.line_id] = price.price.text
    return found


def check_advance(order: Order, lines: Sequence[ReturnLine]) -> None:
    """Goods that leave before others come are secured as their order was paid. Refused NOTHING_REPLACED, ADVANCE_NOT_SECURED."""
    if not any(line.replace_sku for line in lines):
        raise Refused(
            "NOTHING_REPLACED", "nothing is replaced, so nothing can be sent in advance: name what replaces a line"
        )
    if order.payment_method == CASH_ON_DELIVERY:
        raise Refused("ADVANCE_NOT_SECURED", "the order was paid in cash, which secures nothing: leave the advance out")
