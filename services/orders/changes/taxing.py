"""How what a change adds or sends elsewhere is taxed: by our own rates, or as a tax engine says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlmodel import Session

from services.orders.domain.amendment import is_taxed_alike
from services.orders.domain.changes import ChangeRequest
from services.orders.domain.order import Address, Order
from services.orders.domain.tax_engine import EngineTaxes, TaxAnswer, TaxQuery, engine_taxation, kinds_of
from services.orders.domain.tax_parts import ENGINE
from services.orders.domain.taxation import TaxDetermination
from services.orders.masterdata import taxes
from services.orders.store import masterdata as master_store


def own_taxes(session: Session, order: Order, request: ChangeRequest, today: date) -> TaxDetermination | None:
    """How new lines are taxed, and all that has not left when it goes elsewhere; None where a channel has taxed the order.

    The rates are those of the order's day, its customer is taxed as when it was placed, and where it still goes to the same place
    it keeps its certificate; elsewhere it has one that covers that.
    """
    if order.settlement is not None and order.settlement.tax is not None:
        return None
    is_known = order.taxation.source != ENGINE  # of a line that is wanted again an engine may never have said it
    if is_known and request.ship_to is None and not any(line.sku for line in request.lines):
        return None
    return determination_of(session, order, request.ship_to or order.ship_to, order.taxation.tax_on or today)


def determination_of(session: Session, order: Order, place: Address, on: date) -> TaxDetermination:
    """How our own rates of a day tax what goes to a place: its customer as when the order was placed, the certificate as the place has it."""
    customer = replace(master_store.customer(session, order.customer_id), tax_rate=order.tax_rate)
    if order.taxation.tax_on is not None:
        customer = replace(customer, tax_id=order.customer_tax_id)
    found, named = taxes.determination(session, customer, place, on), order.taxation.exemption
    if order.taxation.is_pending:  # it may have gone elsewhere since, and nobody has said its tax under the certificate
        covers = any(one.certificate == named and one.covers(place, on) for one in customer.tax_exemptions)
        return replace(found, exemption=named) if covers else found
    return replace(found, exemption=named) if is_taxed_alike(place, order.ship_to) else found


def engine_taxes(session: Session, before: Order, draft: Order, query: TaxQuery, answer: TaxAnswer) -> EngineTaxes:
    """How what was asked about is taxed; `draft` is the order as the change makes it, with the lines that the query names."""
    own = determination_of(session, before, draft.ship_to, query.on)
    return EngineTaxes(kinds_of(draft, query, answer, own), engine_taxation(before.taxation, query, answer))
