"""Protobuf to domain and back; the only place that checks shapes."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.inventory.domain.allocation import Allocation, LineDemand
from services.inventory.domain.allocation_policy import Claim
from services.inventory.domain.backorders import Supply, Waiting
from services.inventory.domain.requests import (
    DEFAULT_LEASE_SECONDS,
    Adjusted,
    Adjustment,
    Announcement,
    Demand,
    Departure,
    Receipt,
)
from services.inventory.domain.stock import Availability, StockLevel
from services.inventory.domain.supply import SUPPLY_KINDS
from services.inventory.domain.tariffs import Candidate, Tariff
from services.inventory.domain.warehouses import KINDS, Warehouse
from services.kernel.bounds import MAX_LINES, MAX_SOURCES
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, UnitPrice
from services.kernel.quantity import MAX_QUANTITY, non_negative, positive
from services.kernel.text import optional_text, text
from services.runtime.wire import country, optional_money, page_size

MAX_ID = 64
MAX_WAREHOUSES = 200
MAX_ORDERS = 1000
MAX_SKUS = 2000
MAX_INBOUND = 20
MAX_PAGE = 1000
PAGE = 200
MAX_COST_MINOR = 10**12
MAX_TARIFFS = 50
MAX_GRAMS = 10**9
MAX_LATE_DAYS = 36_600
MAX_LEAD_DAYS = 1000
MAX_LEASE_SECONDS = 30 * 24 * 3600
END_OF_TIME_MICROS = 253_402_300_799_999_999  # the last instant of the year 9999

_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+#-]{0,63}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ADDRESS = ("name", "street", "city", "region", "postal_code", "country")


def identity(value: str, what: str) -> str:
    """An id of 1 to 64 printable characters without spaces."""
    if " " in text(value, what, MAX_ID):
        raise InvalidArgument("ID_MALFORMED", f"{what} must have no spaces")
    return value


def optional_identity(value: str, what: str) -> str:
    """An id, or empty for "any"."""
    return identity(value, what) if value else ""


def sku(value: str) -> str:
    """A SKU: letters, digits and . _ / + # -, at most 64."""
    if not _SKU.fullmatch(value):
        raise InvalidArgument(
            "SKU_MALFORMED", "sku must begin with a letter or digit and have at most 64 letters, digits or . _ / + # -"
        )
    return value


def within(value: int, lowest: int, highest: int, what: str) -> int:
    """A number in these bounds, both included."""
    if not lowest <= value <= highest:
        raise InvalidArgument("NUMBER_OUT_OF_RANGE", f"{what} must be from {lowest} to {highest}")
    return value


def at_most(count: int, most: int, what: str) -> None:
    """Refuse more of something than is allowed."""
    if count > most:
        raise InvalidArgument("TOO_MANY", f"at most {most} {what} are allowed, not {count}")


def _lines(lines: Sequence[types.LineQuantity], units: Callable[[int, str], int] = positive) -> tuple[LineDemand, ...]:
    at_most(len(lines), MAX_LINES, "lines")
    read = tuple(
        LineDemand(identity(line.line_id, "line_id"), sku(line.sku), units(line.quantity, "quantity")) for line in lines
    )
    if len({line.line_id for line in read}) < len(read):
        raise InvalidArgument("LINE_TWICE", "each line_id may come once: add the quantities up")
    return read


def limit(value: int) -> int:
    """A page size: 0 means 200."""
    return page_size(value, usual=PAGE, most=MAX_PAGE)


def warehouse(request: pb.PutWarehouseRequest) -> Warehouse:
    """The warehouse to be stored."""
    sent = request.warehouse
    if sent.kind not in KINDS:
        raise InvalidArgument("WAREHOUSE_KIND", f"kind must be one of {', '.join(KINDS)}")
    if sent.address.country:
        country(sent.address.country)
    address = {part: optional_text(getattr(sent.address, part), f"address.{part}") for part in _ADDRESS}
    name = text(sent.name, "name")
    return Warehouse(identity(sent.warehouse_id, "warehouse_id"), name, sent.kind, address, sent.is_active)


def demand(request: pb.ReserveStockRequest) -> Demand:
    """What an order asks for and who may serve it."""
    places = candidates(request.costs)
    if request.lines and not places:
        raise InvalidArgument(
            "WAREHOUSES_MISSING", "costs is empty: name at least one warehouse that can serve the order"
        )
    return _demand(request, _lines(request.lines), places)


def adjusted(request: pb.AdjustReservationRequest) -> Adjusted:
    """What a changed order asks for in all, zero units included."""
    demanded = _demand(request, _lines(request.lines, non_negative), candidates(request.costs))
    return Adjusted(demanded, carried(request.carried))


def carried(parts: Sequence[pb.Allocation]) -> Counter[tuple[str, str]]:
    """(Line id, warehouse id) → units in shipments."""
    units: Counter[tuple[str, str]] = Counter()
    for part in parts:
        place = identity(part.warehouse_id, "warehouse_id")
        units[identity(part.line_id, "line_id"), place] += positive(part.quantity, "quantity")
    return units


def _demand(
    request: pb.ReserveStockRequest | pb.AdjustReservationRequest,
    lines: tuple[LineDemand, ...],
    candidates: tuple[Candidate, ...],
) -> Demand:
    return Demand(
        identity(request.order_id, "order_id"),
        lines,
        candidates,
        within(request.placed_at_micros, 0, END_OF_TIME_MICROS, "placed_at_micros"),
        within(request.lease_seconds, 0, MAX_LEASE_SECONDS, "lease_seconds") or DEFAULT_LEASE_SECONDS,
        weights(request.unit_weights),
        Money(0, request.currency).currency if request.currency else "",
        Claim(
            optional_text(request.customer_tier, "customer_tier"),
            day(request.requested_on, "requested_on") if request.requested_on else "",
            request.is_order_complete,
        ),
        optional_text(request.customer_id, "customer_id"),
        optional_text(request.destination, "destination"),
        hazardous(request.unit_weights),
    )


def weights(sent: Sequence[pb.SkuWeight]) -> dict[str, int]:
    """SKU → grams of a unit."""
    at_most(len(sent), MAX_LINES, "SKUs")
    grams = {sku(one.sku): within(one.grams, 0, MAX_GRAMS, "grams") for one in sent}
    if len(grams) < len(sent):
        raise InvalidArgument("SKU_TWICE", "each SKU may come once in unit_weights")
    return grams


def hazardous(sent: Sequence[pb.SkuWeight]) -> frozenset[str]:
    """The SKUs that are dangerous goods."""
    return frozenset(one.sku for one in sent if one.is_hazardous)


def candidates(costs: Sequence[pb.WarehouseCost]) -> tuple[Candidate, ...]:
    """The warehouses that can serve an order."""
    at_most(len(costs), MAX_SOURCES, "warehouses")
    places = tuple(
        Candidate(
            identity(place.warehouse_id, "warehouse_id"),
            within(place.cost_minor, 0, MAX_COST_MINOR, "cost_minor"),
            _tariffs(place.tariffs),
            within(place.lead_days, 0, MAX_LEAD_DAYS, "lead_days"),
            optional_text(place.delay, "delay", 300),
        )
        for place in costs
    )
    if len({place.warehouse_id for place in places}) < len(places):
        raise InvalidArgument("WAREHOUSE_TWICE", "each warehouse may come once in costs")
    return places


def _tariffs(sent: Sequence[pb.CarrierTariff]) -> tuple[Tariff, ...]:
    at_most(len(sent), MAX_TARIFFS, "tariffs of a warehouse")
    return tuple(
        Tariff(
            identity(one.carrier, "carrier"),
            within(one.base_minor, 0, MAX_COST_MINOR, "base_minor"),
            within(one.per_kg_minor, 0, MAX_COST_MINOR, "per_kg_minor"),
            within(one.per_unit_minor, 0, MAX_COST_MINOR, "per_unit_minor"),
            day(one.promised_on, "promised_on") if one.promised_on else "",
            within(one.late_days, 0, MAX_LATE_DAYS, "late_days"),
        )
        for one in sent
    )


def receipt(request: pb.ReceiveStockRequest) -> Receipt:
    """Goods that arrive."""
    return Receipt(
        identity(request.warehouse_id, "warehouse_id"),
        sku(request.sku),
        positive(request.quantity, "quantity"),
        UnitPrice.parse(request.unit_cost, request.currency),
        optional_text(request.reference, "reference"),
        optional_identity(request.expected_receipt_id, "expected_receipt_id"),
    )


def adjustment(request: pb.AdjustStockRequest) -> Adjustment:
    """A count difference."""
    if request.delta == 0:
        raise InvalidArgument("NOTHING_TO_ADJUST", "delta must not be 0: send how many units were found or are missing")
    if request.delta < 0 and request.unit_cost:
        raise InvalidArgument(
            "COST_OF_MISSING_UNITS", "missing units leave at the cost they came in at: send no unit_cost"
        )
    return Adjustment(
        identity(request.warehouse_id, "warehouse_id"),
        sku(request.sku),
        within(request.delta, -MAX_QUANTITY, MAX_QUANTITY, "delta"),
        text(request.reason, "reason"),
        optional_price(request.unit_cost, request.currency, "unit_cost"),
        optional_price(request.standard_cost, request.standard_currency, "standard_cost"),
    )


def optional_price(amount: str, currency: str, what: str) -> UnitPrice | None:
    """A price where one was sent, with its currency."""
    if bool(amount) != bool(currency):
        raise InvalidArgument("FIELD_MISSING", f"{what} is an amount and its currency: send both or neither")
    return UnitPrice.parse(amount, currency) if amount else None


def announcement(request: pb.ExpectReceiptRequest) -> Announcement:
    """Supply that is to come."""
    return Announcement(
        identity(request.warehouse_id, "warehouse_id"),
        sku(request.sku),
        positive(request.quantity, "quantity"),
        day(request.expected_on, "expected_on"),
        optional_text(request.reference, "reference"),
        _kind(request.kind),
        optional_text(request.announced_by, "announced_by"),
    )


def _kind(value: str) -> str:
    if value and value not in SUPPLY_KINDS:
        raise InvalidArgument("SUPPLY_KIND", f"kind must be one of {', '.join(SUPPLY_KINDS)}")
    return value


def day(value: str, what: str) -> str:
    """A day as an ISO date."""
    try:
        # fromisoformat also reads 20260301 and 2026-W09-7, which would not sort as text
        return date.fromisoformat(value if _DAY.fullmatch(value) else "").isoformat()
    except ValueError:
        raise InvalidArgument("DATE_MALFORMED", f"{what} must be a date such as 2026-03-01") from None


def departure(request: pb.ShipStockRequest | pb.ReverseIssueRequest) -> Departure:
    """A shipment that leaves, or was said to."""
    return Departure(
        identity(request.order_id, "order_id"),
        identity(request.shipment_id, "shipment_id"),
        (identity if request.lines else optional_identity)(request.warehouse_id, "warehouse_id"),
        _lines(request.lines),
    )


def released_order(request: pb.ReleaseReservationRequest) -> str:
    """The order whose stock is let go."""
    optional_text(request.reason, "reason")
    return identity(request.order_id, "order_id")


def order_ids(ids: Sequence[str]) -> list[str]:
    """Orders by id, each once."""
    at_most(len(ids), MAX_ORDERS, "orders")
    return sorted({identity(order_id, "order_id") for order_id in ids})


def skus(values: Sequence[str]) -> list[str]:
    """SKUs, each once, sorted."""
    at_most(len(values), MAX_SKUS, "SKUs")
    return sorted({sku(value) for value in values})


def level_cursor(cursor: str) -> tuple[str, str] | None:
    """Where the last page of stock levels ended: (SKU, warehouse id)."""
    if not cursor:
        return None
    after_sku, bar, after_place = cursor.partition("|")
    if not bar or not _SKU.fullmatch(after_sku):
        raise InvalidArgument("CURSOR_INVALID", "the cursor is none that this list gave: start without one")
    return after_sku, identity(after_place, "cursor")


def warehouse_message(place: Warehouse) -> pb.Warehouse:
    """A warehouse for the wire."""
    address = types.Address(**{part: place.address.get(part, "") for part in _ADDRESS})
    return pb.Warehouse(
        warehouse_id=place.warehouse_id,
        name=place.name,
        kind=place.kind,
        address=address,
        is_active=place.is_active,
        version=place.version,
    )


def allocations(parts: Iterable[Allocation]) -> list[pb.Allocation]:
    """Allocations for the wire."""
    return [
        pb.Allocation(line_id=part.line_id, sku=part.sku, warehouse_id=part.warehouse_id, quantity=part.quantity)
        for part in parts
    ]


def shortage(one: Waiting, supply: Supply | None) -> pb.Shortage:
    """A shortage and its date for the wire."""
    return pb.Shortage(
        line_id=one.line_id,
        sku=one.sku,
        quantity=one.quantity,
        expected_on=supply.expected_on if supply else "",
        lead_days=one.lead_days_from(supply.warehouse_id) if supply else 0,
        expected_reference=supply.reference if supply else "",
    )


def shortages(waiting: Iterable[tuple[Waiting, Supply | None]]) -> list[pb.Shortage]:
    """What still waits, for the wire."""
    return [shortage(one, supply) for one, supply in waiting if one.quantity]


def level(one: StockLevel) -> pb.StockLevel:
    """A stock level for the wire."""
    return pb.StockLevel(
        warehouse_id=one.warehouse_id,
        sku=one.sku,
        on_hand=one.on_hand,
        allocated=one.allocated,
        available=one.available,
        expected=one.expected,
        expected_on=one.expected_on,
        value=optional_money(one.value),
    )


def availability(one: Availability) -> pb.SkuAvailability:
    """What there is of a SKU for the wire."""
    return pb.SkuAvailability(
        sku=one.sku,
        on_hand=one.on_hand,
        available=one.available,
        backordered=one.backordered,
        inbound=[
            pb.InboundSupply(
                expected_on=supply.expected_on,
                quantity=supply.quantity,
                warehouse_id=supply.warehouse_id,
                reference=supply.reference,
            )
            for supply in one.inbound[:MAX_INBOUND]
        ],
        inbound_quantity=sum(supply.quantity for supply in one.inbound),
    )
