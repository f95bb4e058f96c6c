"""Schedules: when warehouses work, until when a day's orders are taken up, and how many units they handle a day."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from gateway.http.neighbors.outages import WarehouseId
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, StoredVersion, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import MAX_QUANTITY, Day, HourMinute, Input, example
from gateway.http.plumbing.paging import Page
from oms.fulfillment.v1 import schedules_pb2 as pb
from oms.inventory.v1 import inventory_pb2 as inventory
from services.kernel.errors import NotFound

router = APIRouter(tags=["stock"])

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Zone = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+/\-]*$")]
Place = Annotated[str, StringConstraints(max_length=9, pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,6})?)?$")]


class ScheduleInput(Input):
    """When a warehouse works, by its own clock; it replaces the schedule before."""

    time_zone: Zone = "UTC"
    working_days: Annotated[list[Weekday], Field(min_length=1, max_length=7)] = ["mon", "tue", "wed", "thu", "fri"]
    holidays_of: Place = Field(default="", description="Whose public holidays are free: a country, or a part of it.")
    closed_on: Annotated[list[Day], Field(max_length=366)] = Field(default=[], description="Other days off.")
    cut_off: HourMinute | None = Field(
        default=None, description="What comes later in the day begins on the next working day; null never cuts off."
    )
    daily_units: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)] | None = Field(
        default=None,
        description="Units that it handles a day: what is more begins later, which counts as lateness. Null is as many as come.",
    )
    version: SeenVersion = None

    model_config = example(
        time_zone="America/Chicago", holidays_of="US-TX", cut_off="14:00", daily_units=2000, closed_on=["2026-12-24"]
    )


class Schedule(BaseModel):
    """When a warehouse works."""

    warehouse_id: str
    time_zone: str
    working_days: list[str]
    holidays_of: str
    closed_on: list[str]
    cut_off: str | None
    daily_units: int | None
    version: StoredVersion


@router.get("/v1/schedules")
def list_schedules(deps: DepsOf, _who: CallerOf) -> Page[Schedule]:
    """When warehouses work, by id. One without a schedule works Monday to Friday and takes up whatever comes on its day."""
    return Page(rows=every(deps), next_cursor=None)


@router.get("/v1/warehouses/{warehouse_id}/schedule", responses=ETAG)
def get_schedule(deps: DepsOf, _who: CallerOf, warehouse_id: WarehouseId, response: Response) -> Schedule:
    """When a warehouse works."""
    found = next((one for one in every(deps) if one.warehouse_id == warehouse_id), None)
    if found is None:
        raise NotFound(
            "SCHEDULE_NOT_FOUND",
            "this warehouse has no schedule: it works Monday to Friday, and takes up what comes on its day; POST one to change that",
        )
    tag(response, found.version)
    return found


@router.post("/v1/warehouses/{warehouse_id}/schedule", response_model=Schedule)
def put_schedule(
    deps: DepsOf, warehouse_id: WarehouseId, body: ScheduleInput, once: OnceOf, if_match: IfMatch
) -> Response:
    """Say when a warehouse works. It holds for what is planned and released from then on; what is promised stays promised."""

    def act(_request_id: str) -> Schedule:
        return put(deps, warehouse_id, body, expected_version(body.version, if_match))

    return once.answer(body, act)


def put(deps: Deps, warehouse_id: str, body: ScheduleInput, expected: int | None) -> Schedule:
    """Store a schedule of a warehouse that there is."""
    every = deps.inventory.ListWarehouses(inventory.ListWarehousesRequest()).warehouses
    if all(row.warehouse_id != warehouse_id for row in every):
        raise NotFound("WAREHOUSE_UNKNOWN", f"there is no warehouse {warehouse_id}: list the warehouses to find it")
    wanted = pb.Schedule(
        warehouse_id=warehouse_id,
        time_zone=body.time_zone,
        working_days=body.working_days,
        holidays_of=body.holidays_of,
        closed_on=[day.isoformat() for day in body.closed_on],
        cut_off=body.cut_off or "",
        daily_units=body.daily_units or 0,
    )
    request = pb.PutScheduleRequest(schedule=wanted, expected_version=expected)
    return _shape(deps.fulfillment.PutSchedule(request).schedule)


def every(deps: Deps) -> list[Schedule]:
    """All schedules, by warehouse."""
    return [_shape(one) for one in deps.fulfillment.ListSchedules(pb.ListSchedulesRequest()).schedules]


def _shape(stored: pb.Schedule) -> Schedule:
    return Schedule(
        warehouse_id=stored.warehouse_id,
        time_zone=stored.time_zone,
        working_days=list(stored.working_days),
        holidays_of=stored.holidays_of,
        closed_on=list(stored.closed_on),
        cut_off=stored.cut_off or None,
        daily_units=stored.daily_units or None,
        version=stored.version,
    )
