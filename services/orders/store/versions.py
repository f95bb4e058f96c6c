"""Versions of an order: as documents, kept when a change replaces them, and the order rewritten as the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from services.kernel.money import Money, UnitPrice
from services.orders.domain.order import STANDARD_CATEGORY, Address, Line, Order, highest_line_id
from services.orders.domain.versions import KeptVersion
from services.orders.models import ChangeRow, VersionRow
from services.orders.store import taxes

_AMOUNTS = ("merchandise", "discount", "freight", "tax", "total")
_TAX = ("tax_code", "tax_rate", "tax_reason")
_LINE = ("line_id", "sku", "description", "kind", "quantity", "price_source", "unit_weight_grams", "is_known")


def document(order: Order) -> dict[str, Any]:
    """What a version is, as JSON keeps it: lines, amounts, address, dates."""
    return {
        "version": order.version,
        "lines": [_line_document(line) for line in order.lines],
        **{f"{name}_minor": getattr(order.totals, name).minor for name in _AMOUNTS},
        "ship_to": asdict(order.ship_to),
        "requested_on": order.requested_on.isoformat() if order.requested_on else "",
        "cancel_after": order.cancel_after.isoformat() if order.cancel_after else "",
        "is_ship_complete": order.is_ship_complete,
        "taxation": taxes.document(order),
    }


def of_document(order: Order, kept: Mapping[str, Any]) -> Order:
    """The order at the version that the document keeps; what no change touches is the order's own."""
    amounts = {name: Money(kept[f"{name}_minor"], order.currency) for name in _AMOUNTS}
    return replace(
        order,
        version=kept["version"],
        lines=tuple(_line(line, order) for line in kept["lines"]),
        totals=taxes.totals_of(amounts, kept.get("taxation"), order.tax_rate),
        taxation=taxes.taxation_of(kept.get("taxation")),
        ship_to=Address(**kept["ship_to"]),
        requested_on=date.fromisoformat(kept["requested_on"]) if kept["requested_on"] else None,
        cancel_after=_last_day(order, kept),
        is_ship_complete=kept["is_ship_complete"],
    )


def _last_day(order: Order, kept: Mapping[str, Any]) -> date | None:
    """Its last day to ship; a version of before a change could move that has the order's."""
    if "cancel_after" not in kept:
        return order.cancel_after
    return date.fromisoformat(kept["cancel_after"]) if kept["cancel_after"] else None


def _line_document(line: Line) -> dict[str, Any]:
    return {
        **{name: getattr(line, name) for name in _LINE},
        **({"cancelled": line.cancelled} if line.cancelled else {}),
        **({"closed": line.closed} if line.closed else {}),
        **({"is_hazardous": True} if line.is_hazardous else {}),
        "unit_price": line.unit_price.text,
        "extended_minor": line.extended.minor,
        "reference_price": line.reference_price.text if line.reference_price else "",
        **taxes.line_values(line),
    }


def _line(kept: Mapping[str, Any], order: Order) -> Line:
    reference, currency = kept["reference_price"], order.currency
    return Line(
        **{name: kept[name] for name in _LINE},
        unit_price=UnitPrice.parse(kept["unit_price"], currency),
        extended=Money(kept["extended_minor"], currency),
        reference_price=UnitPrice.parse(reference, currency) if reference else None,
        tax_category=kept.get("tax_category", STANDARD_CATEGORY),
        tax=taxes.line_kind(*(kept.get(name, "") for name in _TAX), order.tax_rate),
        cancelled=kept.get("cancelled", 0),
        closed=kept.get("closed", 0),
        is_hazardous=kept.get("is_hazardous", False),
    )


def keep(session: Session, order: Order, change_id: str, now: datetime) -> None:
    """Keep a version as it was before a change replaced it."""
    values = {"order_id": order.order_id, "version": order.version, "document": document(order)}
    session.execute(insert(VersionRow).values(**values, change_id=change_id, replaced_at=now))


def of_order(session: Session, order: Order) -> tuple[KeptVersion, ...]:
    """The versions before the current one, oldest first."""
    query = select(VersionRow).where(col(VersionRow.order_id) == order.order_id).order_by(col(VersionRow.version))
    return tuple(
        KeptVersion(of_document(order, row.document), row.change_id, row.replaced_at) for row in session.scalars(query)
    )


def becomes(session: Session, order: Order, change_id: str) -> Order:
    """The order as a change of it makes it, frozen when it was proposed."""
    query = select(col(ChangeRow.becomes)).where(col(ChangeRow.change_id) == change_id)
    return of_document(order, session.execute(query).scalar_one())


def last_line_id(session: Session, order: Order) -> int:
    """The highest id that a line of a version had or a change proposed: none up to it is ever given again.

    Each change keeps it; those of older releases do not, and their documents and the versions before are read instead.
    """
    of_order = col(ChangeRow.order_id) == order.order_id
    kept = func.count(col(ChangeRow.last_line_id))
    query = select(func.max(col(ChangeRow.last_line_id)), func.count(), kept).where(of_order)
    last, asked, known = session.execute(query).one()
    given = {line.line_id for line in order.lines} if asked == known else _read_line_ids(session, order)
    return max(last or 0, highest_line_id(given))


def _read_line_ids(session: Session, order: Order) -> set[str]:
    kept = select(col(VersionRow.document)).where(col(VersionRow.order_id) == order.order_id)
    proposed = select(col(ChangeRow.becomes)).where(col(ChangeRow.order_id) == order.order_id)
    documents = [*session.scalars(kept), *session.scalars(proposed)]
    return {line["line_id"] for one in documents for line in one["lines"]} | {line.line_id for line in order.lines}
