"""What a change makes of an order: the catalog, the prices and the taxes of today, and what a tax engine is asked about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from sqlmodel import Session

from services.orders.access.matrix import Caller
from services.orders.changes.taxing import determination_of, engine_taxes, own_taxes
from services.orders.domain.amendment import (
    Amendment,
    Catalog,
    LineTaxes,
    Obstacle,
    amend,
    asks_freight,
    lines_to_tax,
)
from services.orders.domain.changes import ChangeRequest
from services.orders.domain.holds import TAX_UNDETERMINED
from services.orders.domain.tax_engine import NOTHING_ASKED, OWN, Quote, TaxDesk, TaxQuery, UnknownTaxes, query_of
from services.orders.domain.tax_parts import ENGINE
from services.orders.order.aggregate import OrderAggregate, read
from services.orders.store import masterdata as master_store
from services.orders.store import versions
from services.runtime import sessions
from services.runtime.db import Database


def as_catalogd(session: Session, request: ChangeRequest) -> ChangeRequest:
    """The request with its SKUs as the catalog writes them."""
    typed = [line.sku for line in request.lines if line.sku]
    known = master_store.known_skus(session, typed) if typed else {}
    return replace(request, lines=tuple(replace(line, sku=known.get(line.sku, "")) for line in request.lines))


def quote_change(
    database: Database, desk: TaxDesk, order_id: str, request: ChangeRequest, caller: Caller, now: datetime
) -> Quote:
    """What the tax engine says of a change, asked outside any transaction. An order that our own rates tax asks nobody."""
    if not desk.is_open:
        return OWN
    with database.reading() as session:
        aggregate = read(session, order_id, caller.scope)
        if aggregate.order.taxation.source != ENGINE or aggregate.order.has_ended:
            return NOTHING_ASKED
        today = sessions.business_day(session, now)
        draft = _reading(session, aggregate, as_catalogd(session, request), today)(UnknownTaxes())
        query = _query(session, aggregate, draft, today)
    return desk.quote(query) if query else NOTHING_ASKED


def amended(
    session: Session, aggregate: OrderAggregate, request: ChangeRequest, today: date, quote: Quote
) -> Amendment:
    """The order as the request makes it. Without the engine's answer, where one is needed, that stands against it."""
    order = aggregate.order
    as_taxed = _reading(session, aggregate, request, today)
    if order.taxation.is_pending:
        return as_taxed(UnknownTaxes())
    if order.taxation.source != ENGINE or quote.is_own:
        return as_taxed(own_taxes(session, order, request, today))
    draft = as_taxed(UnknownTaxes())
    query = _query(session, aggregate, draft, today)
    if query is None:
        return draft
    answer = quote.answers(query)
    if answer is None:
        missing = Obstacle(TAX_UNDETERMINED, f"the tax of the change is not known, for {quote.why_not(query)}")
        return replace(draft, obstacles=(*draft.obstacles, missing))
    return as_taxed(engine_taxes(session, order, draft.order, query, answer))


def _query(session: Session, aggregate: OrderAggregate, draft: Amendment, today: date) -> TaxQuery | None:
    """What the engine is to be asked about a change; None when it adds nothing whose tax is not known."""
    if draft.obstacles:
        return None
    order, progress, after = aggregate.order, aggregate.progress, draft.order
    on, is_freight_asked = order.taxation.tax_on or today, asks_freight(order, after, progress)
    query = query_of(after, on, lines_to_tax(order, after, progress), asks_freight=is_freight_asked)
    query = replace(query, exemption=determination_of(session, order, after.ship_to, on).exemption)
    return query if query.lines or query.freight is not None else None


def _reading(
    session: Session, aggregate: OrderAggregate, request: ChangeRequest, today: date
) -> Callable[[LineTaxes | None], Amendment]:
    """Makes the order as the request has it, taxed one way or another, from what is read once."""
    order = aggregate.order
    named = {line.line_id for line in request.lines if line.line_id}
    skus = sorted(
        {line.sku for line in request.lines if line.sku} | {line.sku for line in order.lines if line.line_id in named}
    )
    products = master_store.products_of(session, skus)
    agreements = master_store.agreements_of(session, order.customer_id, skus)
    used = (str(versions.last_line_id(session, order)),) if skus else ()
    return lambda taxes: amend(order, request, Catalog(products, agreements, taxes), used, today, aggregate.progress)
