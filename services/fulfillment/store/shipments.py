"""Shipments: loading, adding, and saving a step of their life."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, or_, select, update
from sqlmodel import Session

from services.fulfillment.domain.address import Address
from services.fulfillment.domain.rates import Parcel
from services.fulfillment.domain.shipment import Reversal, Shipment, ShipmentLine, State
from services.fulfillment.store import interceptions, packages, reversals
from services.fulfillment.store.tables import DUE_FIRST, package, shipment, shipment_line
from services.fulfillment.tracking import is_misread
from services.kernel.errors import Conflict, InvalidArgument, NotFound
from services.kernel.ids import shipment_number, shipment_sequence
from services.kernel.money import Money
from services.runtime.statements import changed, fitting

_LINES = (
    select(shipment_line)
    .where(shipment_line.c.shipment_id.in_(bindparam("ids", expanding=True)))
    .order_by(shipment_line.c.line_id, shipment_line.c.sku)
)
_BY_ID = select(shipment).where(shipment.c.shipment_id == bindparam("id"))
_TRACKED = select(package.c.shipment_id).where(package.c.tracking_number == bindparam("tracking_number"))
_NUMBERED = select(package.c.shipment_id).where(
    or_(package.c.tracking_number == bindparam("tracking_number"), package.c.sscc == bindparam("tracking_number"))
)
_BY_TRACKING = select(shipment).where(shipment.c.shipment_id.in_(_TRACKED), shipment.c.carrier == bindparam("by"))
_OF_ORDER = select(shipment).where(shipment.c.order_id == bindparam("order")).order_by(shipment.c.serial)
_ADD, _ADD_LINES = insert(shipment), insert(shipment_line)
_STEPPED = (
    "state",
    "carrier",
    "tracking_number",
    "freight_minor",
    "freight_currency",
    "picker",
    "picked_at",
    "packed_at",
    "shipped_at",
    "delivered_at",
    "cancelled_at",
    "recall_id",
    "exception_at",
)
"""What a step may change; everything else stays as it was released."""
_SAVE = (
    update(shipment)
    .where(shipment.c.shipment_id == bindparam("id"), shipment.c.state == bindparam("state_before"))
    .values({name: bindparam(f"new_{name}") for name in _STEPPED})
)
_THE_LINE = (
    shipment_line.c.shipment_id == bindparam("id"),
    shipment_line.c.line_id == bindparam("line"),
    shipment_line.c.sku == bindparam("of_sku"),
)
_PICK = update(shipment_line).where(*_THE_LINE).values(picked_quantity=bindparam("picked"))
_CUT = update(shipment_line).where(*_THE_LINE).values(quantity=bindparam("left"), picked_quantity=bindparam("picked"))
_TAKE_OUT = delete(shipment_line).where(*_THE_LINE)
_TO_LEAVE = select(shipment.c.serial, shipment.c.warehouse_id, shipment.c.ship_to).where(
    shipment.c.state.in_([State.RELEASED.value, State.PICKED.value, State.PACKED.value]), shipment.c.warehouse_id != ""
)
_BY_IDS = select(shipment).where(shipment.c.shipment_id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which shipments are asked for; empty members ask for all, `after` is the serial of the last one seen."""

    order_id: str
    warehouse_id: str
    state: State | None
    number: str
    after: int
    limit: int
    order_ids: tuple[str, ...] = ()
    tracking_number: str = ""


def add(session: Session, new: Shipment) -> None:
    """Store a new shipment with its lines."""
    values = _values(new)
    released = {
        "shipment_id": new.shipment_id,
        "serial": new.serial,
        "order_id": new.order_id,
        "order_number": new.order_number,
        "warehouse_id": new.warehouse_id,
        "ship_to": asdict(new.ship_to),
        "promised_on": new.promised_on.isoformat() if new.promised_on else None,
        "released_at": new.released_at,
        "replaces": new.replaces,
    }
    session.execute(_ADD, released | values)
    session.execute(_ADD_LINES, [{"shipment_id": new.shipment_id, **asdict(line)} for line in new.lines])
    packages.add(session, new.shipment_id, new.packages)


def save(session: Session, before: Shipment, after: Shipment) -> None:
    """Store a step. Raises Conflict when the shipment is no longer in the state the step was decided on."""
    _save_row(session, before, after)
    picked = [
        {"id": before.shipment_id, "line": new.line_id, "of_sku": new.sku, "picked": new.picked_quantity}
        for old, new in zip(before.lines, after.lines, strict=True)
        if old != new
    ]
    if picked:
        session.execute(_PICK, picked)


def save_recalled(session: Session, before: Shipment, after: Shipment) -> None:
    """Store that units left the shipment; lines that it has no more are gone. Raises Conflict like save()."""
    _save_row(session, before, after)
    kept = {(line.line_id, line.sku): line for line in after.lines}
    lines = [
        ({"id": before.shipment_id, "line": line.line_id, "of_sku": line.sku}, kept.get((line.line_id, line.sku)))
        for line in before.lines
        if kept.get((line.line_id, line.sku)) != line
    ]
    gone = [the_line for the_line, left in lines if left is None]
    cut = [
        {**the_line, "left": left.quantity, "picked": left.picked_quantity}
        for the_line, left in lines
        if left is not None
    ]
    if gone:
        session.execute(_TAKE_OUT, gone)
    if cut:
        session.execute(_CUT, cut)


def save_joined(session: Session, before: Shipment, after: Shipment) -> None:
    """Store that units joined the shipment. Raises Conflict like save()."""
    _save_row(session, before, after)
    known = {(line.line_id, line.sku): line for line in before.lines}
    more = [
        {
            "id": before.shipment_id,
            "line": line.line_id,
            "of_sku": line.sku,
            "left": line.quantity,
            "picked": line.picked_quantity,
        }
        for line in after.lines
        if known.get((line.line_id, line.sku), line) != line
    ]
    new = [
        {"shipment_id": before.shipment_id, **asdict(line)}
        for line in after.lines
        if (line.line_id, line.sku) not in known
    ]
    if more:
        session.execute(_CUT, more)
    if new:
        session.execute(_ADD_LINES, new)


def _save_row(session: Session, before: Shipment, after: Shipment) -> None:
    values = {f"new_{name}": value for name, value in _values(after).items()}
    terms = {"id": before.shipment_id, "state_before": before.state.value}
    if changed(session, _SAVE, terms | values) != 1:
        raise Conflict("SHIPMENT_MOVED", f"{before.number} was changed by somebody else just now: look again")
    packages.save(session, before.shipment_id, before.packages, after.packages)


def to_leave(session: Session) -> list[Parcel]:
    """Every shipment of goods that has yet to leave."""
    return [
        Parcel(shipment_number(row.serial), row.warehouse_id, Address(**row.ship_to))
        for row in session.execute(_TO_LEAVE)
    ]


def get(session: Session, shipment_id: str) -> Shipment:
    """One shipment. Raises NotFound."""
    found = _load(session, session.execute(_BY_ID, {"id": shipment_id}).all())
    if not found:
        raise unknown(shipment_id)
    return found[0]


def by_tracking(session: Session, carrier: str, tracking_number: str) -> Shipment:
    """The shipment of the carrier's parcel. Raises NotFound when this carrier has no parcel of that number from us."""
    parcel = {"tracking_number": tracking_number, "by": carrier}
    found = _load(session, session.execute(_BY_TRACKING, parcel).all())
    if not found:
        raise unknown_parcel(carrier, tracking_number)
    return found[0]


def of_order(session: Session, order_id: str) -> list[Shipment]:
    """Every shipment of an order, oldest first."""
    return _load(session, session.execute(_OF_ORDER, {"order": order_id}).all())


def by_ids(session: Session, shipment_ids: Collection[str]) -> dict[str, Shipment]:
    """Shipment id → shipment, of those that exist."""
    if not shipment_ids:
        return {}
    rows = session.execute(_BY_IDS, {"ids": sorted(shipment_ids)}).all()
    return {each.shipment_id: each for each in _load(session, rows)}


def page(session: Session, wanted: Filter) -> tuple[list[Shipment], int | None]:
    """A page of shipments, oldest first, and the `after` of the next page; None at the end."""
    serial = shipment_sequence(wanted.number)
    if wanted.number and serial is None:
        return [], None
    asked = {
        "order_id": wanted.order_id,
        "warehouse_id": wanted.warehouse_id,
        "state": wanted.state.value if wanted.state else "",
        "serial": serial,
    }
    given = {name: value for name, value in asked.items() if value}
    bounds: dict[str, Any] = {"after": wanted.after, "most": wanted.limit + 1}
    if wanted.tracking_number:
        bounds["tracking_number"] = wanted.tracking_number
    if wanted.order_ids:
        bounds["orders"] = list(wanted.order_ids)
    query = _page(tuple(given), of_orders=bool(wanted.order_ids), of_parcel=bool(wanted.tracking_number))
    found = session.execute(query, given | bounds).all()
    fits = fitting(session, shipment_line.c.shipment_id, [row.shipment_id for row in found[: wanted.limit]])
    shown = _load(session, found[:fits])
    return shown, shown[-1].serial if len(found) > fits else None


@cache
def _page(given: tuple[str, ...], *, of_orders: bool, of_parcel: bool) -> Select[Any]:
    """The query for these columns; built once for each choice of them."""
    rows = select(shipment).where(shipment.c.serial > bindparam("after"))
    if of_orders:
        rows = rows.where(shipment.c.order_id.in_(bindparam("orders", expanding=True)))
    if of_parcel:
        rows = rows.where(shipment.c.shipment_id.in_(_NUMBERED))
    for name in given:
        rows = rows.where(shipment.c[name] == bindparam(name))
    return rows.order_by(shipment.c.serial).limit(bindparam("most"))


def due(session: Session, warehouse_id: str, state: State, limit: int) -> tuple[list[Shipment], int]:
    """Shipments with goods in this state, the soonest promised first and those without a day last, and how many there are."""
    waits = [shipment.c.state == state.value, shipment.c.warehouse_id != ""]
    if warehouse_id:
        waits.append(shipment.c.warehouse_id == warehouse_id)
    total = session.execute(select(func.count()).select_from(shipment).where(*waits)).scalar_one()
    rows = session.execute(select(shipment).where(*waits).order_by(*DUE_FIRST).limit(limit)).all() if total else []
    fits = fitting(session, shipment_line.c.shipment_id, [row.shipment_id for row in rows])
    return _load(session, rows[:fits]), total


def releasing_orders(session: Session) -> list[str]:
    """Orders with a shipment that is still to leave, each once."""
    waits = shipment.c.state.in_(("released", "picked", "packed"))
    return list(session.scalars(select(shipment.c.order_id).where(waits).distinct().order_by(shipment.c.order_id)))


def unknown(shipment_id: str) -> NotFound:
    """The refusal of an id that no shipment has."""
    return NotFound("SHIPMENT_NOT_FOUND", f"there is no shipment {shipment_id}: list the shipments to find it")


def unknown_parcel(carrier: str, tracking_number: str) -> NotFound | InvalidArgument:
    """The refusal of a tracking number that no parcel of ours has with this carrier, or that is misread."""
    if is_misread(tracking_number):
        return InvalidArgument("TRACKING_NUMBER_MISREAD", f"{tracking_number} is misread: its check digit is wrong")
    return NotFound(
        "UNKNOWN_TRACKING_NUMBER", f"{carrier} carries no parcel {tracking_number} of ours: check the number"
    )


def _load(session: Session, rows: Sequence[Row[Any]]) -> list[Shipment]:
    """Domain values of rows in their order, lines by line and SKU, with one query for all lines."""
    if not rows:
        return []
    lines: dict[str, list[ShipmentLine]] = {}
    for line in session.execute(_LINES, {"ids": [row.shipment_id for row in rows]}):
        lines.setdefault(line.shipment_id, []).append(_line(line))
    # one that was cancelled before it left has no carrier
    may_be_reversed = [row.shipment_id for row in rows if row.state == State.CANCELLED and row.carrier]
    reversed_ones = reversals.of_shipments(session, may_be_reversed)
    stopped = interceptions.of_shipments(session, [row.shipment_id for row in rows if row.tracking_number])
    packed = packages.of_shipments(session, [row.shipment_id for row in rows if row.packed_at and row.warehouse_id])
    found = [_shipment(row, lines.get(row.shipment_id, ()), reversed_ones.get(row.shipment_id)) for row in rows]
    return [
        replace(one, interception=stopped.get(one.shipment_id), packages=packed.get(one.shipment_id, ()))
        for one in found
    ]


def _line(row: Row[Any]) -> ShipmentLine:
    return ShipmentLine(row.line_id, row.sku, row.description, row.quantity, row.unit_weight_grams, row.picked_quantity)


def _shipment(row: Row[Any], lines: Iterable[ShipmentLine], reversal: Reversal | None) -> Shipment:
    has_freight = row.freight_minor is not None and row.freight_currency is not None
    return Shipment(
        shipment_id=row.shipment_id,
        serial=row.serial,
        order_id=row.order_id,
        order_number=row.order_number,
        warehouse_id=row.warehouse_id,
        ship_to=Address(**row.ship_to),
        lines=tuple(lines),
        promised_on=date.fromisoformat(row.promised_on) if row.promised_on else None,
        released_at=row.released_at,
        state=State(row.state),
        carrier=row.carrier,
        tracking_number=row.tracking_number or "",
        freight_cost=Money(row.freight_minor or 0, row.freight_currency or "") if has_freight else None,
        picker=row.picker,
        picked_at=row.picked_at,
        packed_at=row.packed_at,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
        cancelled_at=row.cancelled_at,
        recall_id=row.recall_id or "",
        exception_at=row.exception_at,
        reversal=reversal,
        replaces=row.replaces,
    )


def _values(of: Shipment) -> dict[str, object]:
    """The columns that a step may change."""
    freight = of.freight_cost
    return {
        "state": of.state.value,
        "carrier": of.carrier,
        "tracking_number": of.tracking_number or None,
        "freight_minor": freight.minor if freight else None,
        "freight_currency": freight.currency if freight else None,
        "picker": of.picker,
        "picked_at": of.picked_at,
        "packed_at": of.packed_at,
        "shipped_at": of.shipped_at,
        "delivered_at": of.delivered_at,
        "cancelled_at": of.cancelled_at,
        "recall_id": of.recall_id or None,
        "exception_at": of.exception_at,
    }
