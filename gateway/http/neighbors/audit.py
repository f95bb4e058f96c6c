"""The audit: every invariant of every service, and those that hold only between services."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.http.neighbors import cross_audit, overdue
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.notifications.v1 import notifications_pb2 as notifications
from oms.types.v1 import types_pb2 as types
from services.orders.overview import audit as own
from services.orders.overview.overdue import Due, on_the_way, unanswered
from services.orders.returns import photos
from services.runtime.audit import SHOWN, Finding
from services.runtime.grpc_client import Unreachable

router = APIRouter(tags=["audit"])


class InvariantRow(BaseModel):
    """One rule and who breaks it."""

    name: str
    rule: str
    violations: int = Field(description="0 is clean.")
    offenders: list[str] = Field(description="The first of them, at most 10.")


class Audit(BaseModel):
    """One row per invariant."""

    is_clean: bool = Field(description="Whether no row has a violation.")
    rows: list[InvariantRow]


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a service said of itself; `answer` is None when it is away."""

    service: str
    answer: Any


@router.get("/v1/audit/invariants")
def check_invariants(deps: DepsOf, _who: CallerOf) -> Audit:
    """Check everything now; a service that is away is a row with a violation. Facts still under way may show for a moment."""
    asks: dict[str, Callable[[], Any]] = {
        "inventory": lambda: deps.inventory.Audit(inventory.AuditRequest()),
        "fulfillment": lambda: deps.fulfillment.Audit(fulfillment.AuditRequest()),
        "billing": lambda: deps.billing.Audit(billing.AuditRequest()),
        "notifications": lambda: deps.notifications.Audit(notifications.AuditRequest()),
    }
    with ThreadPoolExecutor(max_workers=len(asks)) as pool:
        heard = {one.service: one for one in pool.map(_hear, asks.keys(), asks.values())}
    rows = [*_own(deps), *(row for one in heard.values() for row in _rows(one))]
    due = Due(deps.clock(), deps.settings.overdue)
    rows += _between(deps, due, heard["inventory"].answer, heard["fulfillment"].answer, heard["billing"].answer)
    if heard["fulfillment"].answer is not None and heard["billing"].answer is not None:
        rows += _overdue(deps, due)
    return Audit(is_clean=not any(row.violations for row in rows), rows=rows)


def _own(deps: Deps) -> list[InvariantRow]:
    with deps.database.reading() as session:
        found = own.findings(session)
    return [_row(each) for each in (*found, photos.files_finding(deps.database, deps.photos))]


def _hear(service: str, ask: Callable[[], Any]) -> _Heard:
    try:
        return _Heard(service, ask())
    except Unreachable:
        return _Heard(service, None)


def _rows(heard: _Heard) -> list[InvariantRow]:
    here = InvariantRow(
        name=f"{heard.service}.answers",
        rule=f"{heard.service} can be audited",
        violations=0 if heard.answer is not None else 1,
        offenders=[] if heard.answer is not None else [f"{heard.service} did not answer in time"],
    )
    reported: Iterable[types.Invariant] = heard.answer.invariants if heard.answer is not None else ()
    return [here, *(_row(each) for each in reported)]


def _row(found: types.Invariant | Finding) -> InvariantRow:
    return InvariantRow(
        name=found.name, rule=found.rule, violations=found.violations, offenders=list(found.offenders)[:SHOWN]
    )


def _overdue(deps: Deps, due: Due) -> list[InvariantRow]:
    """What should have happened by now, of orders whose goods and money are on the way; no call is made inside a transaction."""
    ways: list[overdue.Way] = []
    last = ""
    while True:
        with deps.database.reading() as session:
            orders = on_the_way(session, last)
        if not orders:
            break
        last = orders[-1].order_id
        ways += overdue.ways_of(
            orders, deps.fulfillment.ListShipments, deps.billing.ListInvoices, deps.billing.ListBillable
        )
    with deps.database.reading() as session:
        asked = unanswered(session, due)
    return [_row(each) for each in (asked, *overdue.findings(ways, due))]


def _between(
    deps: Deps,
    due: Due,
    stock: inventory.AuditResponse | None,
    goods: fulfillment.AuditResponse | None,
    ledger: billing.AuditResponse | None,
) -> list[InvariantRow]:
    """What two services say of the same thing; what a service that is away would have said is not judged."""
    found: list[Finding] = []
    with deps.database.reading() as session:
        if stock is not None:
            found.append(cross_audit.ended_orders_hold_no_stock(session, stock, due))
        if goods is not None:
            found.append(cross_audit.ended_orders_release_nothing(session, goods, due))
        if ledger is not None:
            found.append(cross_audit.ended_orders_hold_no_credit(session, ledger, due))
            found.append(cross_audit.invoices_sum_to_their_order(session, ledger.billed))
    if stock is not None and ledger is not None:
        found.append(cross_audit.stock_is_worth_its_balance(stock.stock_value, ledger.inventory_balance))
    return [_row(each) for each in found]
