"""The tables of stock, of who it is promised to, and of how that is decided."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, false
from sqlmodel import Field

from services.inventory.models.base import Table, partial_index
from services.inventory.models.base import of_stock as _of_stock
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime
from services.runtime.idempotency import answers_table
from services.runtime.outbox import outbox_table

outbox = outbox_table(Table.metadata)
answers = answers_table(Table.metadata)


class Warehouse(Table, table=True):
    """A place that holds stock; `currency` is empty until its first receipt decides in what it is valued."""

    __tablename__ = "warehouse"
    __table_args__ = (CheckConstraint("kind IN ('own', 'store', 'third_party')", name="warehouse_kind"), STRICT)

    warehouse_id: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    address: dict[str, Any] = Field(sa_type=JsonText)
    is_active: bool = Field(sa_type=Flag)
    currency: str = Field(sa_type=Text)
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})


class SkuTurn(Table, table=True):
    """One row a SKU; whoever changes its stock or its queue counts it up first, so one transaction at a time decides."""

    __tablename__ = "sku_turn"
    __table_args__ = (STRICT,)

    sku: str = Field(sa_type=Text, primary_key=True)
    turn: int = Field(sa_type=Int64)


class Stock(Table, table=True):
    """Units of a SKU in a warehouse: in the building, and of those promised to orders."""

    __tablename__ = "stock"
    __table_args__ = (
        CheckConstraint("allocated >= 0", name="stock_allocated_not_negative"),
        CheckConstraint("allocated <= on_hand", name="stock_allocated_within_on_hand"),
        ForeignKeyConstraint(["warehouse_id"], ["warehouse.warehouse_id"], name="stock_of_warehouse"),
        Index("stock_by_sku", "sku", "warehouse_id"),
        STRICT,
    )

    warehouse_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    on_hand: int = Field(sa_type=Int64)
    allocated: int = Field(sa_type=Int64)


class Movement(Table, table=True):
    """A change of on hand and what it was worth; never changed, never deleted."""

    __tablename__ = "movement"
    __table_args__ = (
        CheckConstraint("kind IN ('received', 'issued', 'adjusted', 'reversed')", name="movement_kind"),
        CheckConstraint("quantity <> 0", name="movement_moves"),
        CheckConstraint("kind <> 'received' OR (quantity > 0 AND value_minor >= 0)", name="movement_received_adds"),
        CheckConstraint("kind <> 'issued' OR (quantity < 0 AND value_minor <= 0)", name="movement_issued_takes"),
        CheckConstraint("(kind = 'issued') = (shipment_id <> '')", name="movement_issued_by_shipment"),
        _of_stock("movement_of_stock"),
        partial_index("movement_once_a_shipment", "shipment_id", "sku", where="shipment_id <> ''", unique=True),
        Index("movement_by_stock", "warehouse_id", "sku"),
        partial_index("movement_by_order", "order_id", "sku", where="order_id <> ''"),
        STRICT,
    )

    movement_id: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    quantity: int = Field(sa_type=Int64)
    value_minor: int = Field(sa_type=Int64)
    currency: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    shipment_id: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=UtcDateTime)


class CostLayer(Table, table=True):
    """What one receipt had cost and how much of it is left; issued oldest `number` first."""

    __tablename__ = "cost_layer"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="cost_layer_quantity_positive"),
        CheckConstraint("remaining_quantity BETWEEN 0 AND quantity", name="cost_layer_remaining_quantity"),
        CheckConstraint("remaining_value_minor BETWEEN 0 AND value_minor", name="cost_layer_remaining_value"),
        CheckConstraint(
            "remaining_quantity > 0 OR remaining_value_minor = 0", name="cost_layer_spent_is_worth_nothing"
        ),
        ForeignKeyConstraint(["movement_id"], ["movement.movement_id"], name="cost_layer_of_movement"),
        _of_stock("cost_layer_of_stock"),
        UniqueConstraint("warehouse_id", "sku", "number", name="cost_layer_number"),
        partial_index("cost_layer_left", "warehouse_id", "sku", "number", where="remaining_quantity > 0"),
        STRICT,
    )

    movement_id: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    number: int = Field(sa_type=Int64)
    quantity: int = Field(sa_type=Int64)
    unit_cost: str = Field(sa_type=Text)
    value_minor: int = Field(sa_type=Int64)
    currency: str = Field(sa_type=Text)
    remaining_quantity: int = Field(sa_type=Int64)
    remaining_value_minor: int = Field(sa_type=Int64)


class Reservation(Table, table=True):
    """What is held for an order, as a whole; at most one is active for an order.

    One that ships complete `is_gathering` until it was complete once: until then nothing of it is with a warehouse, and what it holds since
    `gathers_since` may go to others.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'shipped', 'released')", name="reservation_state"),
        CheckConstraint("lease_seconds > 0", name="reservation_lease_positive"),
        partial_index("reservation_one_active", "order_id", where="state = 'active'", unique=True),
        partial_index("reservation_lapsing", "lease_until", where="state = 'active'"),
        partial_index("reservation_gathering", "gathers_since", where="gathers_since IS NOT NULL"),
        Index("reservation_by_order", "order_id"),
        STRICT,
    )

    reservation_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    placed_at_micros: int = Field(sa_type=Int64)
    lease_seconds: int = Field(sa_type=Int64)
    lease_until: datetime = Field(sa_type=UtcDateTime)
    customer_tier: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    requested_on: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    is_expedited: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    is_order_complete: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    is_gathering: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    gathers_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    destination: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class ReservationCandidate(Table, table=True):
    """A warehouse that can serve the order, at what cost, and in how many working days: backorders fill from these alone.

    `barred` are the SKUs of it that this warehouse may not give, each between line ends; empty where it may give all.
    """

    __tablename__ = "reservation_candidate"
    __table_args__ = (
        CheckConstraint("cost_minor >= 0", name="reservation_candidate_cost"),
        CheckConstraint("lead_days >= 0", name="reservation_candidate_lead"),
        ForeignKeyConstraint(["reservation_id"], ["reservation.reservation_id"], name="candidate_of_reservation"),
        STRICT,
    )

    reservation_id: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text, primary_key=True)
    cost_minor: int = Field(sa_type=Int64)
    lead_days: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    barred: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class Allocation(Table, table=True):
    """Units of an order line in one warehouse: held now, shipped from there, or held once and let go."""

    __tablename__ = "allocation"
    __table_args__ = (
        CheckConstraint("held_quantity >= 0", name="allocation_held"),
        CheckConstraint("shipped_quantity >= 0", name="allocation_shipped"),
        CheckConstraint("released_quantity >= 0", name="allocation_released"),
        ForeignKeyConstraint(["reservation_id"], ["reservation.reservation_id"], name="allocation_of_reservation"),
        _of_stock("allocation_of_stock"),
        partial_index("allocation_held_by_stock", "warehouse_id", "sku", where="held_quantity > 0"),
        STRICT,
    )

    reservation_id: str = Field(sa_type=Text, primary_key=True)
    line_id: str = Field(sa_type=Text, primary_key=True)
    warehouse_id: str = Field(sa_type=Text, primary_key=True)
    sku: str = Field(sa_type=Text)
    held_quantity: int = Field(sa_type=Int64)
    shipped_quantity: int = Field(sa_type=Int64)
    released_quantity: int = Field(sa_type=Int64)


class Backorder(Table, table=True):
    """Units of an order line that nobody had: still waiting, filled since, or no longer wanted.

    `priority` is its place under the allocation policy of `ranked_version`, less is sooner; -1 is of before there was any.
    """

    __tablename__ = "backorder"
    __table_args__ = (
        CheckConstraint("waiting_quantity >= 0", name="backorder_waiting"),
        CheckConstraint("filled_quantity >= 0", name="backorder_filled"),
        CheckConstraint("cancelled_quantity >= 0", name="backorder_cancelled"),
        CheckConstraint("waiting_quantity + filled_quantity + cancelled_quantity > 0", name="backorder_of_something"),
        ForeignKeyConstraint(["reservation_id"], ["reservation.reservation_id"], name="backorder_of_reservation"),
        UniqueConstraint("reservation_id", "line_id", name="backorder_once_a_line"),
        Index("backorder_by_order", "order_id"),
        partial_index(
            "backorder_in_turn",
            "sku",
            "priority",
            "placed_at_micros",
            "order_id",
            "line_id",
            where="waiting_quantity > 0",
        ),
        partial_index("backorder_ranked", "ranked_version", "sku", where="waiting_quantity > 0"),
        STRICT,
    )

    backorder_id: str = Field(sa_type=Text, primary_key=True)
    reservation_id: str = Field(sa_type=Text)
    order_id: str = Field(sa_type=Text)
    line_id: str = Field(sa_type=Text)
    sku: str = Field(sa_type=Text)
    placed_at_micros: int = Field(sa_type=Int64)
    waiting_quantity: int = Field(sa_type=Int64)
    filled_quantity: int = Field(sa_type=Int64)
    cancelled_quantity: int = Field(sa_type=Int64)
    priority: int = Field(default=0, sa_type=Int64, sa_column_kwargs={"server_default": "0"})
    delivery: str = Field(default="partial", sa_type=Text, sa_column_kwargs={"server_default": "partial"})
    is_manual: bool = Field(default=False, sa_type=Flag, sa_column_kwargs={"server_default": false()})
    waiting_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ranked_version: int = Field(default=-1, sa_type=Int64, sa_column_kwargs={"server_default": "-1"})


class StockIssue(Table, table=True):
    """A shipment that left, once, and what its goods had cost; the currency is empty when it carried no stock."""

    __tablename__ = "stock_issue"
    __table_args__ = (CheckConstraint("cost_minor >= 0", name="stock_issue_cost"), STRICT)

    shipment_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    cost_minor: int = Field(sa_type=Int64)
    currency: str = Field(sa_type=Text)
    issued_at: datetime = Field(sa_type=UtcDateTime)


class IssueReversal(Table, table=True):
    """A shipment whose ship confirm was reversed, and what its goods had cost; the currency is empty when none had been taken off."""

    __tablename__ = "issue_reversal"
    __table_args__ = (CheckConstraint("cost_minor >= 0", name="issue_reversal_cost"), STRICT)

    shipment_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    warehouse_id: str = Field(sa_type=Text)
    cost_minor: int = Field(sa_type=Int64)
    currency: str = Field(sa_type=Text)
    reversed_at: datetime = Field(sa_type=UtcDateTime)


class Unfilled(Table, table=True):
    """A SKU whose queue one transaction did not fill to its end: units are free that it waits for, and the next batch gives them."""

    __tablename__ = "unfilled"
    __table_args__ = (STRICT,)

    sku: str = Field(sa_type=Text, primary_key=True)
    left_at: datetime = Field(sa_type=UtcDateTime)


class Unnotified(Table, table=True):
    """An order whose expected days another announcement moved, and which is still to hear of it."""

    __tablename__ = "unnotified"
    __table_args__ = (Index("unnotified_in_turn", "placed_at_micros", "order_id"), STRICT)

    order_id: str = Field(sa_type=Text, primary_key=True)
    reservation_id: str = Field(sa_type=Text)
    placed_at_micros: int = Field(sa_type=Int64)
    left_at: datetime = Field(sa_type=UtcDateTime)


class SourcingPolicy(Table, table=True):
    """How warehouses are chosen; one row, or none before the first was put. `maximum_splits` is empty for any number."""

    __tablename__ = "sourcing_policy"
    __table_args__ = (
        CheckConstraint("policy_id = 'company'", name="sourcing_policy_once"),
        CheckConstraint("split_penalty_minor >= 0 AND late_day_minor >= 0", name="sourcing_policy_costs"),
        CheckConstraint("maximum_splits >= 0", name="sourcing_policy_splits"),
        STRICT,
    )

    policy_id: str = Field(sa_type=Text, primary_key=True)
    split_penalty_minor: int = Field(sa_type=Int64)
    late_day_minor: int = Field(sa_type=Int64)
    maximum_splits: int | None = Field(default=None, sa_type=Int64)
    nodes: list[dict[str, Any]] = Field(sa_type=JsonText)
    customers: list[dict[str, Any]] = Field(sa_type=JsonText, sa_column_kwargs={"server_default": "[]"})
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})


class SourcingPlan(Table, table=True):
    """What was planned for an order at once: the plan that was held, its rivals and why they lost; never changed.

    `given` is what it was made from; plans of before that was kept have none.
    """

    __tablename__ = "sourcing_plan"
    __table_args__ = (
        Index("sourcing_plan_of_order", "order_id", "planned_at", "plan_id"),
        Index("sourcing_plan_planned", "planned_at", "plan_id"),
        STRICT,
    )

    plan_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    planned_at: datetime = Field(sa_type=UtcDateTime)
    plan: dict[str, Any] = Field(sa_type=JsonText)
    given: Any = Field(default=None, sa_type=JsonText, nullable=True)
