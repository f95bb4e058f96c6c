"""The HTTP application of the orders process."""

from __future__ import annotations

from fastapi import FastAPI

from gateway.console.app import ConsoleDoor, create_console
from gateway.http.masterdata import (
    credit_terms,
    customers,
    exchange_rates,
    passwords,
    people,
    policies,
    policy_replay,
    prices,
    products,
    tax_rates,
)
from gateway.http.neighbors import (
    allocation_policy,
    audit,
    backorders,
    billable,
    bins,
    cards,
    counts,
    credit_notes,
    deliveries,
    deposit_invoices,
    interceptions,
    invoice_drafts,
    invoices,
    ledger,
    mail_templates,
    order_documents,
    outages,
    outlook,
    packages,
    payment_corrections,
    payment_events,
    payments,
    payouts,
    pick_list_files,
    picks,
    quarantine,
    rates,
    recalls,
    refunds,
    reversals,
    schedules,
    shipments,
    sourcing,
    sourcing_policy,
    sourcing_replay,
    stock,
    supply,
    warehouses,
    waves,
    webhooks,
)
from gateway.http.orders import (
    cancellation,
    changes,
    closing,
    dead_letters,
    exceptions,
    feedback,
    history,
    holds,
    orders,
    parcels,
    place,
    promises,
    repair,
    resubmission,
    return_photos,
    return_shipping,
    returns,
    returns_without_goods,
    reviews,
    stream,
)
from gateway.http.plumbing import health, metrics, openapi, problems, reference
from gateway.http.plumbing.body import BodyGate
from gateway.http.plumbing.deps import Deps
from gateway.http.plumbing.measures import Measured
from services.runtime import telemetry

ABOUT = (
    "Orders from every channel to cash: place, follow, fulfil, invoice, settle. Money is decimal text with a currency, "
    "instants are RFC 3339 in UTC, refusals are problems (RFC 9457) with a stable code."
)
# a request is matched in this order, so what is asked all day comes first
NOUNS = (
    place, orders, picks, shipments, waves, pick_list_files, packages, webhooks, billable, invoices, invoice_drafts, order_documents, payments, stock, bins, supply, outlook, promises, counts, history, stream, changes, cancellation, closing, returns, returns_without_goods, parcels, return_photos, return_shipping, holds, reviews, resubmission, people,
    feedback, customers, credit_terms, payment_corrections, credit_notes, deposit_invoices, cards, payment_events, payouts, refunds, products, prices, policies, policy_replay, warehouses, rates, sourcing, sourcing_policy, sourcing_replay, allocation_policy, exchange_rates, tax_rates, backorders, quarantine, outages, schedules, recalls, reversals, interceptions, ledger, exceptions, deliveries, dead_letters, mail_templates, repair,
    passwords, audit, health, metrics, reference,
)  # fmt: skip


def create_app(deps: Deps) -> FastAPI:
    """The application over these dependencies; it opens and closes nothing."""
    app = FastAPI(
        title="Order management",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.deps = deps
    for noun in NOUNS:
        app.include_router(noun.router)
    problems.install(app)
    openapi.install(app, deps.matrix)
    app.add_middleware(BodyGate)
    app.add_middleware(ConsoleDoor, console=create_console(deps))
    app.add_middleware(Measured, measures=deps.measures)
    if telemetry.is_tracing():
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app, excluded_urls="healthz,readyz,metrics")
    return app
