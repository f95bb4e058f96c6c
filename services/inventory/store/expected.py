"""Queries over expected receipts."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session

from services.inventory.domain.backorders import Supply
from services.inventory.store.tables import NOTHING, expected_receipt
from services.runtime.statements import slices

_OPEN = (
    select(expected_receipt)
    .where(
        expected_receipt.c.sku.in_(bindparam("skus", expanding=True)), expected_receipt.c.remaining_quantity > NOTHING
    )
    .order_by(expected_receipt.c.expected_on, expected_receipt.c.expected_receipt_id)
)
_OPEN_AT = _OPEN.where(expected_receipt.c.warehouse_id == bindparam("place"))


def announce(session: Session, supply: Supply, sku: str) -> None:
    """Store a receipt that is to come."""
    session.execute(
        insert(expected_receipt).values(
            expected_receipt_id=supply.expected_receipt_id,
            warehouse_id=supply.warehouse_id,
            sku=sku,
            quantity=supply.quantity,
            remaining_quantity=supply.quantity,
            expected_on=supply.expected_on,
            reference=supply.reference,
        )
    )


def open_supply(session: Session, skus: Collection[str], warehouse_id: str = "") -> dict[str, list[Supply]]:
    """SKU → what has not come yet, earliest first; of one warehouse when named."""
    supply: defaultdict[str, list[Supply]] = defaultdict(list)
    wanted, terms = (_OPEN_AT, {"place": warehouse_id}) if warehouse_id else (_OPEN, {})
    for some in slices(skus):
        for row in session.execute(wanted, terms | {"skus": some}):
            supply[row.sku].append(
                Supply(
                    row.expected_receipt_id, row.warehouse_id, row.remaining_quantity, row.expected_on, row.reference
                )
            )
    return dict(supply)


def come(session: Session, arrived: Mapping[str, int]) -> None:
    """Take what has arrived off what is announced, expected receipt id → units."""
    for expected_receipt_id, units in arrived.items():
        statement = update(expected_receipt).where(expected_receipt.c.expected_receipt_id == expected_receipt_id)
        session.execute(statement.values(remaining_quantity=expected_receipt.c.remaining_quantity - units))
