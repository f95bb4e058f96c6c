"""Queries over expected receipts."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, tuple_, update
from sqlmodel import Session

from services.inventory.domain.backorders import Supply
from services.inventory.domain.supply import RECEIVED, ExpectedReceipt, SupplyChange
from services.inventory.store.tables import NO_TEXT, NOTHING, expected_receipt, supply_change
from services.kernel.errors import InvalidArgument, NotFound
from services.kernel.ids import new_id
from services.runtime.statements import slices

MOST_CHANGES = 10

_TURN = (expected_receipt.c.expected_on, expected_receipt.c.expected_receipt_id)
_SUPPLY = ("expected_receipt_id", "warehouse_id", "remaining_quantity", "expected_on", "reference")
_IS_OPEN = expected_receipt.c.remaining_quantity > NOTHING
_OPEN = (
    select(expected_receipt.c.sku, *(expected_receipt.c[name] for name in _SUPPLY))
    .where(expected_receipt.c.sku.in_(bindparam("skus", expanding=True)), _IS_OPEN)
    .order_by(*_TURN)
)
_OPEN_AT = _OPEN.where(expected_receipt.c.warehouse_id == bindparam("place"))
_OPEN_RECEIPTS = (
    select(expected_receipt).where(expected_receipt.c.sku == bindparam("of_sku"), _IS_OPEN).order_by(*_TURN)
)


def announce(session: Session, receipt: ExpectedReceipt) -> None:
    """Store a receipt that is to come."""
    session.execute(
        insert(expected_receipt).values(
            expected_receipt_id=receipt.expected_receipt_id, warehouse_id=receipt.warehouse_id, sku=receipt.sku,
            reference=receipt.reference, **_values(receipt),
        )
    )  # fmt: skip


def put(session: Session, receipt: ExpectedReceipt) -> None:
    """Store what became of a receipt."""
    known = expected_receipt.c.expected_receipt_id == receipt.expected_receipt_id
    session.execute(update(expected_receipt).where(known).values(**_values(receipt)))


def _values(receipt: ExpectedReceipt) -> dict[str, Any]:
    return {
        "kind": receipt.kind,
        "quantity": receipt.quantity,
        "remaining_quantity": receipt.remaining,
        "cancelled_quantity": receipt.cancelled,
        "expected_on": receipt.expected_on,
    }


def note(session: Session, changes: Mapping[str, SupplyChange]) -> None:
    """Keep what became of receipts, expected receipt id → change."""
    rows = [
        {
            "change_id": new_id("sch"),
            "expected_receipt_id": expected_receipt_id,
            "verb": change.verb,
            "changed_at": change.changed_at,
            "changed_by": change.changed_by,
            "reason": change.reason,
            "expected_on": change.expected_on,
            "remaining_quantity": change.remaining,
        }
        for expected_receipt_id, change in changes.items()
    ]
    if rows:
        session.execute(insert(supply_change), rows)


def find(session: Session, expected_receipt_id: str) -> ExpectedReceipt:
    """The receipt; NotFound EXPECTED_RECEIPT_UNKNOWN says where to look."""
    row = session.execute(
        select(expected_receipt).where(expected_receipt.c.expected_receipt_id == expected_receipt_id)
    ).first()
    if row is None:
        raise NotFound(
            "EXPECTED_RECEIPT_UNKNOWN",
            f"there is no expected receipt {expected_receipt_id!r}: look for its id in the list of expected receipts",
        )
    return _receipt(row)


def of_reference(session: Session, warehouse_id: str, sku: str, reference: str) -> ExpectedReceipt | None:
    """The one receipt of a reference of a SKU in a warehouse; None for a reference that is new, or none."""
    if not reference:
        return None
    wanted = select(expected_receipt).where(
        expected_receipt.c.reference == reference,
        expected_receipt.c.reference != NO_TEXT,
        expected_receipt.c.sku == sku,
        expected_receipt.c.warehouse_id == warehouse_id,
    )
    row = session.execute(wanted).first()
    return _receipt(row) if row else None


def open_receipts(session: Session, sku: str) -> list[ExpectedReceipt]:
    """What is still to come of a SKU, the first to come first."""
    return [_receipt(row) for row in session.execute(_OPEN_RECEIPTS, {"of_sku": sku})]


def open_supply(session: Session, skus: Collection[str], warehouse_id: str = "") -> dict[str, list[Supply]]:
    """SKU → what has not come yet, earliest first; of one warehouse when named."""
    supply: defaultdict[str, list[Supply]] = defaultdict(list)
    wanted, terms = (_OPEN_AT, {"place": warehouse_id}) if warehouse_id else (_OPEN, {})
    for some in slices(skus):
        for row in session.execute(wanted, terms | {"skus": some}):
            supply[row.sku].append(Supply(*(getattr(row, name) for name in _SUPPLY)))
    return dict(supply)


def come(session: Session, supply: Sequence[Supply], arrived: Mapping[str, int], reference: str, now: datetime) -> None:
    """Take what has arrived off the `supply` that was announced, expected receipt id → units; the reference is what it came under."""
    for one in supply:
        units = arrived.get(one.expected_receipt_id, 0)
        if units:
            statement = update(expected_receipt).where(
                expected_receipt.c.expected_receipt_id == one.expected_receipt_id
            )
            session.execute(statement.values(remaining_quantity=expected_receipt.c.remaining_quantity - units))
            came = SupplyChange(RECEIVED, now, "", reference, one.expected_on, one.quantity - units)
            note(session, {one.expected_receipt_id: came})


def page(
    session: Session, sku: str, warehouse_id: str, reference: str, after: str, limit: int, *, is_all: bool
) -> list[ExpectedReceipt]:
    """Receipts from behind the one named, the first to come first; only those of which something is to come unless all are asked for."""
    wanted = select(expected_receipt)
    for column, value in (("sku", sku), ("warehouse_id", warehouse_id), ("reference", reference)):
        if value:
            wanted = wanted.where(expected_receipt.c[column] == value)
    if not is_all:
        wanted = wanted.where(_IS_OPEN)
    if after:
        last = session.execute(select(*_TURN).where(expected_receipt.c.expected_receipt_id == after)).first()
        if last is None:
            raise InvalidArgument("CURSOR_INVALID", "the cursor is none that this list gave: start without one")
        wanted = wanted.where(tuple_(*_TURN) > tuple_(*last))
    return [_receipt(row) for row in session.execute(wanted.order_by(*_TURN).limit(limit))]


def changes_of(session: Session, receipts: Collection[ExpectedReceipt]) -> dict[str, list[SupplyChange]]:
    """Expected receipt id → what became of it, the newest first, MOST_CHANGES at most."""
    found: defaultdict[str, list[SupplyChange]] = defaultdict(list)
    newest = (supply_change.c.changed_at.desc(), supply_change.c.change_id.desc())
    for some in slices(one.expected_receipt_id for one in receipts):
        mine = select(supply_change).where(supply_change.c.expected_receipt_id.in_(some))
        for row in session.execute(mine.order_by(*newest)):
            change = SupplyChange(
                row.verb, row.changed_at, row.changed_by, row.reason, row.expected_on, row.remaining_quantity
            )
            if len(found[row.expected_receipt_id]) < MOST_CHANGES:
                found[row.expected_receipt_id].append(change)
    return dict(found)


def _receipt(row: Row[Any]) -> ExpectedReceipt:
    return ExpectedReceipt(
        row.expected_receipt_id, row.warehouse_id, row.sku, row.kind, row.reference, row.quantity,
        row.remaining_quantity, row.cancelled_quantity, row.expected_on,
    )  # fmt: skip
