"""What there is and what comes of SKUs at all open warehouses together, read for people who decide."""

from collections.abc import Sequence

from sqlmodel import Session

from services.inventory.domain.stock import Availability
from services.inventory.store import backorders, expected, stock, warehouses


def availability(session: Session, skus: Sequence[str]) -> list[Availability]:
    """One for each SKU, in the order given, zeros where there is nothing; four queries however many SKUs."""
    units, waiting = stock.units(session, skus), backorders.units_waiting(session, skus)
    is_open = {place.warehouse_id for place in warehouses.every(session) if place.is_active}
    supply = expected.open_supply(session, skus)
    return [
        Availability(
            sku,
            *units.get(sku, (0, 0)),
            waiting.get(sku, 0),
            tuple(one for one in supply.get(sku, ()) if one.warehouse_id in is_open),
        )
        for sku in skus
    ]
