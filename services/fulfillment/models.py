"""Tables of fulfillment: shape and constraints only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from services.fulfillment import schedule_models, wave_models
from services.fulfillment.domain.carrier_event import CarrierStatus
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime
from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table

ScheduleRow = schedule_models.ScheduleRow
Table = wave_models.Table  # with the tables of waves

outbox = outbox_table(Table.metadata)
answers = answers_table(Table.metadata)


class CounterRow(Table, table=True):
    """A sequence without gaps inside a transaction: shipment numbers, tracking numbers, versions of the rate table."""

    __tablename__ = "counter"
    __table_args__ = (STRICT,)

    name: str = Field(sa_type=Text, primary_key=True)
    value: int = Field(sa_type=Int64)


class RateRow(Table, table=True):
    """What a carrier charges from a warehouse to a zone."""

    __tablename__ = "rate"
    __table_args__ = (
        CheckConstraint(
            "base_minor >= 0 AND per_kg_minor >= 0 AND per_unit_minor >= 0", name="rate_amounts_not_negative"
        ),
        CheckConstraint("transit_days >= 0", name="rate_transit_not_negative"),
        STRICT,
    )

    zone: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text, primary_key=True)
    carrier: str = Field(sa_type=Text, primary_key=True)
    currency: str = Field(sa_type=Text)
    base_minor: int = Field(sa_type=Int64)
    per_kg_minor: int = Field(sa_type=Int64)
    per_unit_minor: int = Field(sa_type=Int64)
    transit_days: int = Field(sa_type=Int64)


class ZoneRuleRow(Table, table=True):
    """Which zone a region lies in; region "*" is every other region of the country."""

    __tablename__ = "zone_rule"
    __table_args__ = (STRICT,)

    country: str = Field(sa_type=Text, primary_key=True)
    region: str = Field(sa_type=Text, primary_key=True)
    zone: str = Field(sa_type=Text)


class OrderRow(Table, table=True):
    """An order as the warehouse knows it: one writer at a time takes its `revision`; once cancelled, nothing more is released."""

    __tablename__ = "warehouse_order"
    __table_args__ = (
        CheckConstraint("cancelled_at IS NOT NULL OR cancel_reason = ''", name="warehouse_order_reason_needs_cancel"),
        STRICT,
    )

    order_id: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=Int64)
    cancelled_at: datetime | None = Field(sa_type=UtcDateTime)
    cancel_reason: str = Field(sa_type=Text)


class ShipmentRow(Table, table=True):
    """What one warehouse sends to one address at once, or one service visit (warehouse_id empty)."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("serial", name="shipment_serial_unique"),
        CheckConstraint(
            "state IN ('released', 'picked', 'packed', 'shipped', 'delivered', 'cancelled')",
            name="shipment_state_known",
        ),
        CheckConstraint("(state IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL)", name="shipment_shipped_at"),
        CheckConstraint("(state = 'delivered') = (delivered_at IS NOT NULL)", name="shipment_delivered_at"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="shipment_cancelled_at"),
        CheckConstraint("delivered_at IS NULL OR delivered_at >= shipped_at", name="shipment_delivered_after_shipped"),
        CheckConstraint(
            "warehouse_id = '' OR shipped_at IS NULL OR (tracking_number IS NOT NULL AND carrier <> '' "
            "AND freight_minor IS NOT NULL)",
            name="shipment_shipped_has_tracking",
        ),
        CheckConstraint("warehouse_id <> '' OR tracking_number IS NULL", name="shipment_service_has_no_tracking"),
        CheckConstraint("(freight_minor IS NULL) = (freight_currency IS NULL)", name="shipment_freight_has_currency"),
        CheckConstraint("freight_minor IS NULL OR freight_minor >= 0", name="shipment_freight_not_negative"),
        Index("shipment_order", "order_id", "serial"),
        Index("shipment_warehouse", "warehouse_id", "serial"),
        Index("shipment_state", "state", "serial"),
        STRICT,
    )

    shipment_id: str = Field(sa_type=Text, primary_key=True)
    serial: int = Field(sa_type=Int64)
    order_id: str = Field(sa_type=Text, foreign_key="warehouse_order.order_id")
    order_number: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    ship_to: dict[str, Any] = Field(sa_type=JsonText)
    state: str = Field(sa_type=Text)
    carrier: str = Field(sa_type=Text)
    tracking_number: str | None = Field(sa_type=Text, unique=True)
    freight_minor: int | None = Field(sa_type=Int64)
    freight_currency: str | None = Field(sa_type=Text)
    promised_on: str | None = Field(sa_type=Text)
    picker: str = Field(sa_type=Text)
    released_at: datetime = Field(sa_type=UtcDateTime)
    picked_at: datetime | None = Field(sa_type=UtcDateTime)
    packed_at: datetime | None = Field(sa_type=UtcDateTime)
    shipped_at: datetime | None = Field(sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(sa_type=UtcDateTime)
    cancelled_at: datetime | None = Field(sa_type=UtcDateTime)
    recall_id: str | None = Field(sa_type=Text)
    exception_at: datetime | None = Field(sa_type=UtcDateTime)
    replaces: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class ShipmentReversalRow(Table, table=True):
    """A ship confirm that was reversed: its shipment is cancelled, and another one has its goods."""

    __tablename__ = "shipment_reversal"
    __table_args__ = (
        CheckConstraint("reversed_at >= shipped_at", name="shipment_reversal_after_shipped"),
        CheckConstraint("reason <> ''", name="shipment_reversal_has_reason"),
        STRICT,
    )

    shipment_id: str = Field(sa_type=Text, primary_key=True, foreign_key="shipment.shipment_id")
    shipped_at: datetime = Field(sa_type=UtcDateTime)
    reversed_at: datetime = Field(sa_type=UtcDateTime)
    reversed_by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    replaced_by: str = Field(sa_type=Text, unique=True)


class ShipmentInterceptionRow(Table, table=True):
    """That the carrier of a shipment on its way was asked to stop it, once, and what it answered."""

    __tablename__ = "shipment_interception"
    __table_args__ = (
        CheckConstraint(
            "state IN ('asked', 'intercepted', 'refused', 'too_late')", name="shipment_interception_state_known"
        ),
        CheckConstraint("(state = 'asked') = (answered_at IS NULL)", name="shipment_interception_answered_at"),
        CheckConstraint("answered_at >= asked_at", name="shipment_interception_answered_after_asked"),
        CheckConstraint("reason <> ''", name="shipment_interception_has_reason"),
        STRICT,
    )

    shipment_id: str = Field(sa_type=Text, primary_key=True, foreign_key="shipment.shipment_id")
    state: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    asked_by: str = Field(sa_type=Text)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(sa_type=UtcDateTime)


class ShipmentLineRow(Table, table=True):
    """Units of an order line in a shipment."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="shipment_line_quantity_positive"),
        CheckConstraint(
            "picked_quantity >= 0 AND picked_quantity <= quantity", name="shipment_line_picked_within_quantity"
        ),
        CheckConstraint("unit_weight_grams >= 0", name="shipment_line_weight_not_negative"),
        STRICT,
    )

    shipment_id: str = Field(sa_type=Text, primary_key=True, foreign_key="shipment.shipment_id")
    line_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    picked_quantity: int = Field(sa_type=Int64)
    unit_weight_grams: int = Field(sa_type=Int64)


class PackageRow(Table, table=True):
    """One package of a shipment of goods, since it is packed; `number` counts them from 1."""

    __tablename__ = "package"
    __table_args__ = (
        CheckConstraint(
            "weight_grams >= 0 AND length_mm >= 0 AND width_mm >= 0 AND height_mm >= 0",
            name="package_measures_not_negative",
        ),
        UniqueConstraint("sscc", name="package_sscc_unique"),
        UniqueConstraint("tracking_number", name="package_tracking_number_unique"),
        STRICT,
    )

    shipment_id: str = Field(sa_type=Text, primary_key=True, foreign_key="shipment.shipment_id")
    number: int = Field(sa_type=Int64, primary_key=True)
    weight_grams: int = Field(sa_type=Int64)
    length_mm: int = Field(sa_type=Int64)
    width_mm: int = Field(sa_type=Int64)
    height_mm: int = Field(sa_type=Int64)
    sscc: str | None = Field(sa_type=Text)
    tracking_number: str | None = Field(sa_type=Text)
    delivered_at: datetime | None = Field(sa_type=UtcDateTime)
    exception_at: datetime | None = Field(sa_type=UtcDateTime)
    problem: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class PackageLineRow(Table, table=True):
    """Units of a shipment's line in a package."""

    __tablename__ = "package_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="package_line_quantity_positive"),
        ForeignKeyConstraint(
            ["shipment_id", "number"], ["package.shipment_id", "package.number"], name="package_line_of"
        ),
        STRICT,
    )

    shipment_id: str = Field(sa_type=Text, primary_key=True)
    number: int = Field(sa_type=Int64, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    quantity: int = Field(sa_type=Int64)


_PENDING = text("state = 'pending'")


class RecallRow(Table, table=True):
    """A question to the warehouse whether units may leave their shipments; those of one change wait at a time, one a shipment."""

    __tablename__ = "recall"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'acknowledged', 'refused')", name="recall_state_known"),
        CheckConstraint("(state = 'pending') = (answered_at IS NULL)", name="recall_answered_at"),
        CheckConstraint("state <> 'pending' OR reason = ''", name="recall_reason_needs_answer"),
        CheckConstraint("state <> 'refused' OR reason <> ''", name="recall_refused_with_reason"),
        Index("recall_pending", "order_id", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("recall_of_change", "order_id", "change_id"),
        STRICT,
    )

    recall_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, foreign_key="warehouse_order.order_id")
    order_number: str = Field(sa_type=Text)
    change_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(sa_type=UtcDateTime)


class RecallLineRow(Table, table=True):
    """Units of an order line that a recall asks out of a shipment."""

    __tablename__ = "recall_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="recall_line_quantity_positive"), STRICT)

    recall_id: str = Field(sa_type=Text, primary_key=True, foreign_key="recall.recall_id")
    shipment_id: str = Field(sa_type=Text, primary_key=True, foreign_key="shipment.shipment_id")
    line_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)


class CarrierEventRow(Table, table=True):
    """What a carrier said of a parcel, once each."""

    __tablename__ = "carrier_event"
    __table_args__ = (
        CheckConstraint(
            f"status IN ({', '.join(repr(one.value) for one in CarrierStatus)})", name="carrier_event_status_known"
        ),
        Index("carrier_event_parcel", "tracking_number"),
        STRICT,
    )

    carrier: str = Field(sa_type=Text, primary_key=True)
    event_id: str = Field(sa_type=Text, primary_key=True)
    tracking_number: str = Field(sa_type=Text, foreign_key="package.tracking_number")
    status: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class ExpectedReturnRow(Table, table=True):
    """Goods that a customer sends back; once closed, none are taken for it."""

    __tablename__ = "expected_return"
    __table_args__ = (
        CheckConstraint("is_open = (closed_at IS NULL)", name="expected_return_closed_at"),
        ForeignKeyConstraint(["order_id"], ["warehouse_order.order_id"], name="expected_return_order"),
        UniqueConstraint("number", name="expected_return_number"),
        Index("expected_return_of_order", "order_id"),
        STRICT,
    )

    return_id: str = Field(sa_type=Text, primary_key=True)
    number: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    order_number: str = Field(sa_type=Text)
    is_open: bool = Field(sa_type=Flag)
    announced_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(sa_type=UtcDateTime)


class ExpectedReturnLineRow(Table, table=True):
    """Units of an order line that are to come back, and how many have come and were inspected."""

    __tablename__ = "expected_return_line"
    __table_args__ = (
        CheckConstraint(
            "quantity > 0 AND 0 <= inspected AND inspected <= received AND received <= quantity",
            name="expected_return_line_quantities",
        ),
        ForeignKeyConstraint(["return_id"], ["expected_return.return_id"], name="expected_return_line_return"),
        STRICT,
    )

    return_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    received: int = Field(sa_type=Int64)
    inspected: int = Field(sa_type=Int64)


def _of_line(name: str) -> ForeignKeyConstraint:
    key = ("return_id", "line_id")
    return ForeignKeyConstraint(key, [f"expected_return_line.{part}" for part in key], name=name)


class ReturnReceiptRow(Table, table=True):
    """A count of units that came back; never changed."""

    __tablename__ = "return_receipt"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="return_receipt_quantity"),
        _of_line("return_receipt_line"),
        Index("return_receipt_of_return", "return_id", "line_id"),
        STRICT,
    )

    receipt_id: str = Field(sa_type=Text, primary_key=True)
    return_id: str = Field(sa_type=Text)
    line_id: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    received_by: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    received_at: datetime = Field(sa_type=UtcDateTime)


class InspectedUnitsRow(Table, table=True):
    """Units that are alike, as an inspection found them; never changed."""

    __tablename__ = "inspected_units"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="inspected_units_quantity"),
        CheckConstraint("grade IN ('A', 'B', 'C', 'D')", name="inspected_units_grade"),
        CheckConstraint(
            "disposition IN ('restock', 'quarantine', 'scrap', 'refurbish', 'return_to_vendor')",
            name="inspected_units_disposition",
        ),
        CheckConstraint("responsible IN ('customer', 'seller', 'carrier')", name="inspected_units_responsible"),
        _of_line("inspected_units_line"),
        Index("inspected_units_of_return", "return_id", "line_id"),
        STRICT,
    )

    inspection_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(sa_type=Int64, primary_key=True)
    return_id: str = Field(sa_type=Text)
    line_id: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    grade: str = Field(sa_type=Text)
    disposition: str = Field(sa_type=Text)
    responsible: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    inspected_by: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    inspected_at: datetime = Field(sa_type=UtcDateTime)
