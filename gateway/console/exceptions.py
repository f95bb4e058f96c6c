"""Business exceptions: what happened, since when, whose it is, what to do, and resolving one with a note."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import RedirectResponse

from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.people import owners
from gateway.console.visitor import FormOf, VisitorOf
from gateway.http.orders import repair
from gateway.http.plumbing.inputs import IDENTITY
from services.orders.domain.exceptions import (
    OPEN,
    RESOLVED,
    WORKFLOW_LOST,
    ExceptionFilter,
    ListedException,
    may_resolve,
)
from services.orders.lifecycle import resolution
from services.orders.order import exceptions

router = APIRouter()

PAGE = 50
ExceptionOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@router.get("/exceptions")
def exceptions_page(
    who: VisitorOf,
    show: Annotated[str, Query(pattern=f"^({RESOLVED})?$")] = "",
    after: Annotated[str, Query(max_length=64, pattern=f"^$|{IDENTITY}")] = "",
) -> Response:
    """The open exceptions of the orders that the visitor may see, or those that were resolved."""
    wanted = ExceptionFilter(show or OPEN)
    with who.deps.database.reading() as session:
        found = exceptions.list_exceptions(session, wanted, who.caller.scope, after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    following = rows[-1].found.exception_id if len(found) > PAGE else ""
    return render(
        "exceptions.html", who, rows=rows, is_resolved=bool(show), following=following, named=_resolvers(rows)
    )


@router.get("/exceptions/{exception_id}")
def exception_page(who: VisitorOf, exception_id: ExceptionOf) -> Response:
    """One of them, with the form that resolves it; without the owner role it says who may."""
    with who.deps.database.reading() as session:
        listed = exceptions.read_exception(session, exception_id, who.caller.scope)
        names = owners(session, {listed.found.owner_role} if listed.found.is_open else ())
        acting = resolution.owners_of(session, listed.found)
    may_act = may_resolve(listed.found, who.caller.principal.roles, acting)
    return render(
        "exception.html",
        who,
        row=listed,
        found=listed.found,
        may_act=may_act,
        is_lost=listed.found.kind == WORKFLOW_LOST,
        named=_resolvers([listed]),
        owners=names.get(listed.found.owner_role, ""),
    )


def _resolvers(rows: Iterable[ListedException]) -> list[str]:
    return [row.found.resolved_by for row in rows]


@router.post("/exceptions/{exception_id}/repair")
def repair_order(form: FormOf, exception_id: ExceptionOf) -> Response:
    """Start the order's workflow again, as the API does."""
    who = form.visitor
    with who.deps.database.reading() as session:
        row = exceptions.read_exception(session, exception_id, who.caller.scope)
    order_id = row.found.order_id
    is_running = order_id in repair.running(who.deps, {order_id: row.order_number})
    with who.deps.database.transaction() as session:
        repair.repair(session, who.deps, who.caller, order_id, is_running=is_running)
    return leave(RedirectResponse("/exceptions", 303), who.deps.console, "repaired", row.order_number)


@router.post("/exceptions/{exception_id}/resolve")
def resolve(form: FormOf, exception_id: ExceptionOf) -> Response:
    """Resolve it, as the API does."""
    who = form.visitor
    with who.deps.database.transaction() as session:
        number = exceptions.read_exception(session, exception_id, who.caller.scope).order_number
        resolution.resolve(session, exception_id, who.caller, form.text("note").strip(), who.deps.clock())
    return leave(RedirectResponse("/exceptions", 303), who.deps.console, "exception_resolved", number)
