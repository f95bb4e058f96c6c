"""Shipments: loading, adding, and saving a step of their life."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import CursorResult, insert, update
from sqlmodel import Session, col, select

from services.fulfillment.domain.address import Address
from services.fulfillment.domain.shipment import Shipment, ShipmentLine, State
from services.fulfillment.models import ShipmentLineRow, ShipmentRow
from services.kernel.errors import Conflict, NotFound
from services.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Filter:
    """Which shipments are asked for; empty members ask for all, `after` is the serial of the last one seen."""

    order_id: str
    warehouse_id: str
    state: State | None
    after: int
    limit: int


def add(session: Session, shipment: Shipment) -> None:
    """Store a new shipment with its lines."""
    session.execute(insert(ShipmentRow).values(shipment_id=shipment.shipment_id, **_values(shipment)))
    session.execute(
        insert(ShipmentLineRow), [{"shipment_id": shipment.shipment_id, **asdict(line)} for line in shipment.lines]
    )


def save(session: Session, before: Shipment, after: Shipment) -> None:
    """Store a step. Raises Conflict when the shipment is no longer in the state the step was decided on."""
    unmoved = update(ShipmentRow).where(
        col(ShipmentRow.shipment_id) == before.shipment_id, col(ShipmentRow.state) == before.state.value
    )
    moved = session.execute(unmoved.values(**_values(after)))
    assert isinstance(moved, CursorResult)
    if moved.rowcount != 1:
        raise Conflict("SHIPMENT_MOVED", f"{before.number} was changed by somebody else just now: look again")
    for old, new in zip(before.lines, after.lines, strict=True):
        if old != new:
            _save_picked(session, before.shipment_id, new)


def get(session: Session, shipment_id: str) -> Shipment:
    """One shipment. Raises NotFound."""
    found = _load(session, session.exec(select(ShipmentRow).where(col(ShipmentRow.shipment_id) == shipment_id)).all())
    if not found:
        raise _unknown(shipment_id)
    return found[0]


def order_id_of(session: Session, shipment_id: str) -> str:
    """The order a shipment belongs to, which never changes. Raises NotFound."""
    order_id = session.exec(select(ShipmentRow.order_id).where(col(ShipmentRow.shipment_id) == shipment_id)).first()
    if order_id is None:
        raise _unknown(shipment_id)
    return order_id


def by_tracking(session: Session, carrier: str, tracking_number: str) -> Shipment:
    """The carrier's parcel. Raises NotFound when this carrier has no parcel of that number from us."""
    wanted = select(ShipmentRow).where(
        col(ShipmentRow.tracking_number) == tracking_number, col(ShipmentRow.carrier) == carrier
    )
    found = _load(session, session.exec(wanted).all())
    if not found:
        raise NotFound(
            "UNKNOWN_TRACKING_NUMBER", f"{carrier} carries no parcel {tracking_number} of ours: check the number"
        )
    return found[0]


def of_order(session: Session, order_id: str) -> list[Shipment]:
    """Every shipment of an order, oldest first."""
    wanted = select(ShipmentRow).where(col(ShipmentRow.order_id) == order_id)
    return _load(session, session.exec(wanted.order_by(col(ShipmentRow.serial))).all())


def page(session: Session, wanted: Filter) -> tuple[list[Shipment], int | None]:
    """A page of shipments, oldest first, and the `after` of the next page; None at the end."""
    rows = select(ShipmentRow).where(col(ShipmentRow.serial) > wanted.after)
    if wanted.order_id:
        rows = rows.where(col(ShipmentRow.order_id) == wanted.order_id)
    if wanted.warehouse_id:
        rows = rows.where(col(ShipmentRow.warehouse_id) == wanted.warehouse_id)
    if wanted.state:
        rows = rows.where(col(ShipmentRow.state) == wanted.state.value)
    found = session.exec(rows.order_by(col(ShipmentRow.serial)).limit(wanted.limit + 1)).all()
    shown = _load(session, found[: wanted.limit])
    return shown, shown[-1].serial if len(found) > wanted.limit else None


def _unknown(shipment_id: str) -> NotFound:
    return NotFound("SHIPMENT_NOT_FOUND", f"there is no shipment {shipment_id}: list the shipments to find it")


def _save_picked(session: Session, shipment_id: str, line: ShipmentLine) -> None:
    the_line = update(ShipmentLineRow).where(
        col(ShipmentLineRow.shipment_id) == shipment_id,
        col(ShipmentLineRow.line_id) == line.line_id,
        col(ShipmentLineRow.sku) == line.sku,
    )
    session.execute(the_line.values(picked_quantity=line.picked_quantity))


def _load(session: Session, rows: Sequence[ShipmentRow]) -> list[Shipment]:
    """Domain values of rows in their order, lines by line and SKU, with one query for all lines."""
    if not rows:
        return []
    ids = [row.shipment_id for row in rows]
    wanted = select(ShipmentLineRow).where(col(ShipmentLineRow.shipment_id).in_(ids))
    lines: dict[str, list[ShipmentLine]] = {}
    for line in session.exec(wanted.order_by(col(ShipmentLineRow.line_id), col(ShipmentLineRow.sku))):
        lines.setdefault(line.shipment_id, []).append(_line(line))
    return [_shipment(row, lines.get(row.shipment_id, ())) for row in rows]


def _line(row: ShipmentLineRow) -> ShipmentLine:
    return ShipmentLine(row.line_id, row.sku, row.description, row.quantity, row.unit_weight_grams, row.picked_quantity)


def _shipment(row: ShipmentRow, lines: Iterable[ShipmentLine]) -> Shipment:
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
    )


def _values(shipment: Shipment) -> dict[str, object]:
    """Every column but the key."""
    freight = shipment.freight_cost
    return {
        "serial": shipment.serial,
        "order_id": shipment.order_id,
        "order_number": shipment.order_number,
        "warehouse_id": shipment.warehouse_id,
        "ship_to": asdict(shipment.ship_to),
        "state": shipment.state.value,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number or None,
        "freight_minor": freight.minor if freight else None,
        "freight_currency": freight.currency if freight else None,
        "promised_on": shipment.promised_on.isoformat() if shipment.promised_on else None,
        "picker": shipment.picker,
        "released_at": shipment.released_at,
        "picked_at": shipment.picked_at,
        "packed_at": shipment.packed_at,
        "shipped_at": shipment.shipped_at,
        "delivered_at": shipment.delivered_at,
        "cancelled_at": shipment.cancelled_at,
    }
