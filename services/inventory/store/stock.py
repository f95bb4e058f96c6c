"""Queries over stock: turns, what is free, what is held, what is there."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import ColumnElement, and_, bindparam, func, select, text, tuple_, update
from sqlmodel import Session

from services.inventory.domain.stock import StockLevel
from services.inventory.store.tables import cost_layer, expected_receipt, stock, warehouse
from services.kernel.errors import Conflict, Refused
from services.kernel.money import Money
from services.runtime.db import Int64
from services.runtime.statements import changed, inserted, slices

_TURN = text(
    "INSERT INTO sku_turn (sku, turn) VALUES (:sku, 1) ON CONFLICT (sku) DO UPDATE SET turn = sku_turn.turn + 1"
)


def take_turns(session: Session, skus: Iterable[str]) -> None:
    """Wait until no other transaction decides over these SKUs, and keep others out until the end of this one.

    Call it once, before any read it should protect, with every SKU: taken in sorted order two callers cannot deadlock. Without
    it a receipt and a reservation could each miss the other, and stock would lie free beside a backorder.
    """
    turns = [{"sku": sku} for sku in sorted(set(skus))]
    if turns:
        session.execute(_TURN, turns)


def open_row(session: Session, warehouse_id: str, sku: str) -> None:
    """Make sure the pair has a stock row."""
    inserted(session, stock, warehouse_id=warehouse_id, sku=sku, on_hand=0, allocated=0)


_FREE = (
    select(stock.c.sku, stock.c.warehouse_id, (stock.c.on_hand - stock.c.allocated).label("free"))
    .join(warehouse, warehouse.c.warehouse_id == stock.c.warehouse_id)
    .where(
        stock.c.sku.in_(bindparam("skus", expanding=True)),
        warehouse.c.is_active,
        stock.c.on_hand > stock.c.allocated,
    )
)
_UNITS_OF = (
    select(
        stock.c.sku,
        func.sum(stock.c.on_hand).label("on_hand"),
        func.sum(stock.c.on_hand - stock.c.allocated).label("free"),
    )
    .join(warehouse, warehouse.c.warehouse_id == stock.c.warehouse_id)
    .where(stock.c.sku.in_(bindparam("skus", expanding=True)), warehouse.c.is_active)
    .group_by(stock.c.sku)
)
_FREE_AT = _FREE.where(stock.c.warehouse_id.in_(bindparam("places", expanding=True)))
_IS_PAIR = and_(stock.c.warehouse_id == bindparam("place"), stock.c.sku == bindparam("of_sku"))
_UNITS = bindparam("units", type_=Int64)
_HOLD = (
    update(stock)
    .where(_IS_PAIR, stock.c.on_hand - stock.c.allocated >= _UNITS)
    .values(allocated=stock.c.allocated + _UNITS)
)
_FREE_UP = update(stock).where(_IS_PAIR).values(allocated=stock.c.allocated - _UNITS)
_ISSUE = update(stock).where(_IS_PAIR).values(on_hand=stock.c.on_hand - _UNITS, allocated=stock.c.allocated - _UNITS)


def available(
    session: Session, skus: Collection[str], warehouse_ids: Collection[str] | None = None
) -> dict[str, dict[str, int]]:
    """SKU → warehouse id → units free to promise, never zero; open warehouses only, and only those named when any are."""
    wanted, terms = (_FREE, {}) if warehouse_ids is None else (_FREE_AT, {"places": list(warehouse_ids)})
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for some in slices(skus):
        for row in session.execute(wanted, terms | {"skus": some}):
            found[row.sku][row.warehouse_id] = row.free
    return dict(found)


def units(session: Session, skus: Collection[str]) -> dict[str, tuple[int, int]]:
    """SKU → (on hand, free to promise) at all open warehouses together; SKUs that none has ever had are missing."""
    return {row.sku: (int(row.on_hand), int(row.free)) for row in session.execute(_UNITS_OF, {"skus": list(skus)})}


def hold(session: Session, taken: Mapping[tuple[str, str], int]) -> None:
    """Promise units, (SKU, warehouse id) → units; Conflict when some of them were taken since they were read."""
    parts = _parts(taken)
    if parts and changed(session, _HOLD, parts) != len(parts):
        names = ", ".join(f"{part['of_sku']} in {part['place']}" for part in parts)
        raise Conflict("STOCK_TAKEN", f"some of {names} was promised to somebody else meanwhile: try again")


def free(session: Session, freed: Mapping[tuple[str, str], int]) -> None:
    """Take promises back, (SKU, warehouse id) → units."""
    if freed:
        session.execute(_FREE_UP, _parts(freed))


def _parts(units: Mapping[tuple[str, str], int]) -> list[dict[str, object]]:
    """Sorted, so that rows are locked in one order everywhere."""
    return [{"of_sku": sku, "place": place, "units": count} for (sku, place), count in sorted(units.items())]


def add(session: Session, warehouse_id: str, sku: str, units: int) -> int:
    """Change on hand by units of either sign and give the new on hand; Refused when promised units would be missing."""
    is_covered = _at(warehouse_id, sku) & (stock.c.on_hand + units >= stock.c.allocated)
    statement = update(stock).where(is_covered).values(on_hand=stock.c.on_hand + units).returning(stock.c.on_hand)
    row = session.execute(statement).first()
    if row is None:
        raise _missing(session, warehouse_id, sku, units)
    return int(row.on_hand)


def _missing(session: Session, warehouse_id: str, sku: str, units: int) -> Refused:
    row = session.execute(select(stock.c.on_hand, stock.c.allocated).where(_at(warehouse_id, sku))).first()
    on_hand, allocated = (row.on_hand, row.allocated) if row else (0, 0)
    if on_hand + units < 0:
        return Refused(
            "STOCK_MISSING", f"{warehouse_id} has {on_hand} units of {sku}, so {-units} cannot be missing there"
        )
    return Refused(
        "STOCK_ALLOCATED",
        f"{allocated} of the {on_hand} units of {sku} in {warehouse_id} are promised to orders, so "
        f"{allocated - on_hand - units} of them would lose theirs: record what was counted as a count, which says who",
    )


def issue(session: Session, warehouse_id: str, units: Mapping[str, int]) -> None:
    """Units that were promised leave the building, SKU → units; the caller has already taken them off an allocation."""
    session.execute(_ISSUE, _parts({(sku, warehouse_id): count for sku, count in units.items()}))


def levels(
    session: Session, sku: str, warehouse_id: str, after: tuple[str, str] | None, limit: int
) -> list[StockLevel]:
    """Stock levels by SKU, then warehouse, from behind `after` (SKU, warehouse id)."""
    wanted = select(stock, warehouse.c.currency).join(warehouse, warehouse.c.warehouse_id == stock.c.warehouse_id)
    if sku:
        wanted = wanted.where(stock.c.sku == sku)
    if warehouse_id:
        wanted = wanted.where(stock.c.warehouse_id == warehouse_id)
    if after:
        wanted = wanted.where(tuple_(stock.c.sku, stock.c.warehouse_id) > tuple_(*after))
    rows = session.execute(wanted.order_by(stock.c.sku, stock.c.warehouse_id).limit(limit)).all()
    skus = {row.sku for row in rows}
    values, expected = _values(session, skus), _expected(session, skus)
    return [
        StockLevel(
            row.warehouse_id,
            row.sku,
            row.on_hand,
            row.allocated,
            *expected.get((row.warehouse_id, row.sku), (0, "")),
            Money(values.get((row.warehouse_id, row.sku), 0), row.currency) if row.currency else None,
        )
        for row in rows
    ]


def _values(session: Session, skus: Collection[str]) -> dict[tuple[str, str], int]:
    worth = func.sum(cost_layer.c.remaining_value_minor).label("worth")
    pair = (cost_layer.c.warehouse_id, cost_layer.c.sku)
    left = (cost_layer.c.sku.in_(skus)) & (cost_layer.c.remaining_quantity > 0)
    return {
        (row.warehouse_id, row.sku): int(row.worth)
        for row in session.execute(select(*pair, worth).where(left).group_by(*pair))
    }


def _expected(session: Session, skus: Collection[str]) -> dict[tuple[str, str], tuple[int, str]]:
    pair = (expected_receipt.c.warehouse_id, expected_receipt.c.sku)
    wanted = select(
        *pair,
        func.sum(expected_receipt.c.remaining_quantity).label("units"),
        func.min(expected_receipt.c.expected_on).label("first_on"),
    )
    announced = (expected_receipt.c.sku.in_(skus)) & (expected_receipt.c.remaining_quantity > 0)
    return {
        (row.warehouse_id, row.sku): (int(row.units), row.first_on)
        for row in session.execute(wanted.where(announced).group_by(*pair))
    }


def _at(warehouse_id: str, sku: str) -> ColumnElement[bool]:
    return and_(stock.c.warehouse_id == warehouse_id, stock.c.sku == sku)
