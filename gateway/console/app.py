"""The application of the console, and the door that leads browsers to it and programs past it."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.console import (
    backorders,
    bins,
    callback,
    cancellation,
    card_entry,
    changes,
    closing,
    counts,
    customer_orders,
    dead_letters,
    delegations,
    errors,
    exceptions,
    feedback,
    files,
    holds,
    interceptions,
    invoice_documents,
    invoice_payment,
    login,
    mail_previews,
    orders,
    outages,
    overview,
    packing_slips,
    parcels,
    passwords,
    promises,
    quarantine,
    resubmission,
    return_requests,
    returns,
    returns_without_goods,
    reversals,
    reviews,
    schedules,
    stock,
    stream,
    support_cases,
    warehouse,
    waves,
)
from gateway.console.accounting import (
    billable,
    corrections,
    crediting,
    decisions,
    deposit_invoices,
    drafts,
    invoices,
    ledger,
    marketplaces,
    payments,
    receipts,
    receivables,
    refunds,
    tax_rates,
    waiting,
)
from gateway.console.accounting import overview as accounting
from gateway.console.headers import SecurityHeaders
from gateway.http.plumbing.deps import Deps
from services.orders.access.logins import Attempts

_NOUNS = (
    files, login, passwords, callback, overview, orders, stream, holds, changes, cancellation, closing, reversals, interceptions, packing_slips, returns, returns_without_goods, parcels, quarantine, backorders, stock, bins, promises, outages, schedules, counts, waves, warehouse, return_requests, resubmission, reviews, delegations, exceptions, dead_letters, mail_previews, customer_orders, card_entry, invoice_documents, invoice_payment, feedback, support_cases,
    accounting, billable, drafts, receipts, payments, corrections, decisions, invoices, crediting, deposit_invoices, refunds, receivables, waiting, marketplaces, ledger, tax_rates,
)  # fmt: skip
_PROGRAMS = frozenset({"v1", "healthz", "readyz", "metrics", "openapi.json", "docs"})


def create_console(deps: Deps) -> FastAPI:
    """The pages over these dependencies; it opens and closes nothing."""
    app = FastAPI(title="Console", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.deps = deps
    app.state.attempts = Attempts()
    for noun in _NOUNS:
        app.include_router(noun.router)
    errors.install(app)
    app.add_middleware(SecurityHeaders)
    return app


class ConsoleDoor:
    """ASGI middleware: what is not an address for programs is a page, if it exists or a browser asks."""

    def __init__(self, app: ASGIApp, console: FastAPI) -> None:
        self.app = app
        self.console = console
        self._pages = frozenset(_first_segment(route.path) for noun in _NOUNS for route in noun.router.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_page = scope["type"] == "http" and self._leads_in(scope)
        await (self.console if is_page else self.app)(scope, receive, send)

    def _leads_in(self, scope: Scope) -> bool:
        segment = _first_segment(scope["path"])
        if segment in self._pages or segment in _PROGRAMS:
            return segment in self._pages
        return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _first_segment(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else path
