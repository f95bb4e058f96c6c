"""An engine for tests, and what is done with orders that it taxes in one line each."""

from __future__ import annotations

from decimal import Decimal

from services.kernel.money import tax_on
from services.orders.changes import amending
from services.orders.changes import propose as proposals
from services.orders.changes.propose import Proposed
from services.orders.domain.changes import AGREED, ChangeRequest
from services.orders.domain.order import Address, Order, PlaceOrder
from services.orders.domain.tax_engine import EngineTax, Quote, TaxAnswer, TaxDesk, TaxQuery
from services.orders.lifecycle import place as placement
from services.orders.lifecycle.place import Receipt
from services.orders.lifecycle.tax_asker import TaxAsker
from services.orders.store import changes as change_store
from tests.orders.change_desk import apply
from tests.orders.desk import BUYER, CONTACTS, SHOP, Desk

CHICAGO = Address("Acme", "2 Lake St", "Chicago", "IL", "60601", "US")


class Engine:
    """An engine that taxes at a rate by region, or says why it does not; it has kept what it was asked."""

    is_open = True

    def __init__(self) -> None:
        self.rates = {"TX": "0.0825", "IL": "0.1025"}
        self.problem, self.is_refused = "", False
        self.asked: list[TaxQuery] = []

    def quote(self, query: TaxQuery, *, is_retry: bool = False) -> Quote:
        self.asked.append(query)
        if self.problem:
            return Quote(query, problem=self.problem, is_refused=self.is_refused, is_address=self.is_refused)
        rate = Decimal(self.rates[query.place.region])
        lines = {line.line_id: EngineTax(tax_on(line.net, rate), rate) for line in query.lines}
        freight = EngineTax(tax_on(query.freight, rate), rate) if query.freight is not None else None
        return Quote(query, TaxAnswer(lines, freight))


def send(desk: Desk, engine: TaxDesk, command: PlaceOrder) -> Receipt:
    by = SHOP if command.channel == "amazon" else BUYER
    quote = placement.quote_order(desk.database, engine, command, by, desk.now)
    with desk.database.transaction() as session:
        return placement.place(session, command, by, desk.now, quote=quote)


def placed(desk: Desk, engine: TaxDesk, *lines: tuple[str, int], **changes: object) -> Order:
    return send(desk, engine, desk.command(*lines, **changes)).order


def waiting(desk: Desk, engine: Engine, *lines: tuple[str, int], problem: str = "cannot be reached") -> str:
    """An order whose tax nobody knows, held for that."""
    engine.problem = problem
    order = placed(desk, engine, *lines)
    desk.validate(order.order_id)
    return order.order_id


def ask(desk: Desk, engine: TaxDesk) -> int:
    return TaxAsker(desk.database, engine, CONTACTS, lambda: desk.now).ask_due()


def settle(desk: Desk, order_id: str, *, is_granted: bool = True, key: str = "1") -> Order:
    """What the workflow does once it hears of the change with the tax."""
    with desk.database.reading() as session:
        [pending] = [one for one in change_store.of_order(session, order_id) if one.state == AGREED]
    assert apply(desk, order_id, pending.change_id, is_granted=is_granted, key=key).is_applied
    return desk.read(order_id).order


def propose(desk: Desk, engine: TaxDesk, order_id: str, request: ChangeRequest) -> Proposed:
    quote = amending.quote_change(desk.database, engine, order_id, request, BUYER, desk.now)
    with desk.database.transaction() as session:
        return proposals.propose(session, order_id, request, BUYER, CONTACTS, desk.now, None, quote)
