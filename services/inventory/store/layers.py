"""Queries over cost layers and the movements they come from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlmodel import Session

from services.inventory.domain.costing import Draw, Layer
from services.inventory.domain.facts import StockChange
from services.inventory.store.tables import NOTHING, cost_layer, movement, stock_issue
from services.kernel.errors import AlreadyExists
from services.kernel.money import Money, UnitPrice
from services.runtime.statements import inserted

_PAGE = 50


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why stock moved: received, issued, adjusted or an issue reversed, for whom, by which document, and when."""

    kind: str
    now: datetime
    order_id: str = ""
    shipment_id: str = ""
    reference: str = ""


_RECORD = insert(movement)
_LEFT = (
    select(cost_layer)
    .where(
        cost_layer.c.warehouse_id == bindparam("place"),
        cost_layer.c.sku == bindparam("of_sku"),
        cost_layer.c.remaining_quantity > NOTHING,
        cost_layer.c.number > bindparam("after"),
    )
    .order_by(cost_layer.c.number)
    .limit(_PAGE)
)
_newer = cost_layer.alias("newer")
_end_of_page = (
    select(_newer.c.number)
    .where(
        _newer.c.warehouse_id == cost_layer.c.warehouse_id,
        _newer.c.sku == cost_layer.c.sku,
        _newer.c.remaining_quantity > NOTHING,
    )
    .order_by(_newer.c.number)
    .limit(1)
    .offset(_PAGE - 1)
    .scalar_subquery()
)
_FIRST_OF_MANY = (
    select(cost_layer)
    .where(
        cost_layer.c.warehouse_id == bindparam("place"),
        cost_layer.c.sku.in_(bindparam("skus", expanding=True)),
        cost_layer.c.remaining_quantity > NOTHING,
        cost_layer.c.number <= func.coalesce(_end_of_page, cost_layer.c.number),
    )
    .order_by(cost_layer.c.sku, cost_layer.c.number)
)
_TAKE = (
    update(cost_layer)
    .where(cost_layer.c.movement_id == bindparam("layer"))
    .values(remaining_quantity=bindparam("units_left"), remaining_value_minor=bindparam("value_left"))
)
_COST = (
    update(stock_issue)
    .where(stock_issue.c.shipment_id == bindparam("shipment"))
    .values(cost_minor=bindparam("minor"), currency=bindparam("of_currency"))
)


def record(session: Session, changes: Sequence[StockChange], occasion: Occasion) -> None:
    """Book movements; their quantity and value carry their sign."""
    rows = [
        {
            "movement_id": change.movement_id,
            "warehouse_id": change.warehouse_id,
            "sku": change.sku,
            "kind": occasion.kind,
            "quantity": change.quantity,
            "value_minor": change.value.minor,
            "currency": change.value.currency,
            "order_id": occasion.order_id,
            "shipment_id": occasion.shipment_id,
            "reference": occasion.reference,
            "occurred_at": occasion.now,
        }
        for change in changes
    ]
    session.execute(_RECORD, rows)


def add(
    session: Session, layer: Layer, warehouse_id: str, sku: str, unit_cost: UnitPrice, *, is_first: bool = False
) -> None:
    """Put a layer behind the others of its SKU and warehouse, or before them; its id is the movement it came by."""
    end, step = (func.min, -1) if is_first else (func.max, 1)
    last = select(func.coalesce(end(cost_layer.c.number), 0)).where(
        cost_layer.c.warehouse_id == warehouse_id, cost_layer.c.sku == sku
    )
    session.execute(
        insert(cost_layer).values(
            movement_id=layer.layer_id,
            warehouse_id=warehouse_id,
            sku=sku,
            number=int(session.execute(last).scalar_one()) + step,
            quantity=layer.quantity,
            unit_cost=unit_cost.text,
            value_minor=layer.value.minor,
            currency=layer.value.currency,
            remaining_quantity=layer.remaining,
            remaining_value_minor=layer.remaining_value.minor,
        )
    )


def left(session: Session, warehouse_id: str, skus: Collection[str]) -> Mapping[str, Iterator[Layer]]:
    """SKU → its layers with units left, oldest first: the first page of all by one statement, the rest as far as it is needed."""
    first: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(_FIRST_OF_MANY, {"place": warehouse_id, "skus": list(skus)}):
        first[row.sku].append(row)
    return {sku: _in_pages(session, warehouse_id, sku, first[sku]) for sku in skus}


def _in_pages(session: Session, warehouse_id: str, sku: str, rows: Sequence[Row[Any]]) -> Iterator[Layer]:
    while rows:
        for row in rows:
            value, worth = Money(row.value_minor, row.currency), Money(row.remaining_value_minor, row.currency)
            yield Layer(row.movement_id, row.quantity, value, row.remaining_quantity, worth)
        after = {"place": warehouse_id, "of_sku": sku, "after": rows[-1].number}
        rows = session.execute(_LEFT, after).all() if len(rows) == _PAGE else ()


def take(session: Session, draws: Iterable[Draw]) -> None:
    """Store what the draws leave in their layers."""
    left_over = [
        {"layer": taken.layer_id, "units_left": taken.remaining, "value_left": taken.remaining_value.minor}
        for taken in draws
    ]
    if left_over:
        session.execute(_TAKE, left_over)


def last_unit_cost(session: Session, warehouse_id: str, sku: str, currency: str) -> UnitPrice | None:
    """What a unit cost when it last came in, there or else anywhere in this currency; None when it never did.

    Units that an older release counted in at no cost say nothing of what they cost.
    """
    is_known = (movement.c.kind == "received") | (cost_layer.c.value_minor > 0)
    came_by = cost_layer.join(movement, movement.c.movement_id == cost_layer.c.movement_id)
    wanted = (
        select(cost_layer.c.unit_cost)
        .select_from(came_by)
        .where(cost_layer.c.sku == sku, cost_layer.c.currency == currency, is_known)
    )
    here = wanted.where(cost_layer.c.warehouse_id == warehouse_id).order_by(cost_layer.c.number.desc())
    anywhere = wanted.order_by(cost_layer.c.movement_id.desc())
    known = session.execute(here.limit(1)).scalar() or session.execute(anywhere.limit(1)).scalar()
    return UnitPrice.parse(known, currency) if known else None


def record_issue(session: Session, shipment_id: str, order_id: str, warehouse_id: str, now: datetime) -> None:
    """Remember that the shipment left; AlreadyExists when it did before."""
    left_before = not inserted(
        session,
        stock_issue,
        shipment_id=shipment_id,
        order_id=order_id,
        warehouse_id=warehouse_id,
        cost_minor=0,
        currency="",
        issued_at=now,
    )
    if left_before:
        raise AlreadyExists(
            "SHIPMENT_ALREADY_SHIPPED", f"the stock of shipment {shipment_id} left before, by another request"
        )


def cost_issue(session: Session, shipment_id: str, cost: Money) -> None:
    """Store what the goods of a shipment had cost."""
    session.execute(_COST, {"shipment": shipment_id, "minor": cost.minor, "of_currency": cost.currency})
