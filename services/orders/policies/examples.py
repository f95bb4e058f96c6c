"""Example orders, and what predicates look at in them: the dry run tries a policy on them, and costs are read from their shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from services.kernel.bounds import MAX_LINES
from services.kernel.money import Money, UnitPrice, extend
from services.kernel.tax import TaxKind
from services.orders.domain.amendment import Amendment
from services.orders.domain.masterdata import Customer, PriceAgreement, Product
from services.orders.domain.order import RECEIVED, Address, Line, Order, totals
from services.orders.domain.projection import Progress
from services.orders.domain.proposals import consent_facts, proposal
from services.orders.domain.tax_parts import DEFAULT_TAXATION
from services.orders.policies import contexts, engine

Context = Mapping[str, Any]


@lru_cache(maxsize=1)
def of_orders() -> tuple[Context, ...]:
    """What header predicates look at."""
    return tuple(contexts.header_context(evidence) for evidence in examples())


@lru_cache(maxsize=1)
def of_lines() -> tuple[Context, ...]:
    """What line predicates look at."""
    return tuple(
        {**contexts.header_context(evidence), **contexts.line_context(line, evidence)}
        for evidence in examples()
        for line in evidence.order.lines
    )


@lru_cache(maxsize=1)
def of_largest() -> tuple[Context, tuple[Context, ...]]:
    """The largest order there can be: what all its lines share, and what each has of its own."""
    whole = examples()[0]
    lines = tuple(replace(whole.order.lines[0], line_id=str(number)) for number in range(1, MAX_LINES + 1))
    sums = totals(lines, _cents(0), _cents(0), DEFAULT_TAXATION)
    evidence = replace(whole, order=replace(whole.order, lines=lines, totals=sums))
    return contexts.header_context(evidence), tuple(contexts.line_context(line, evidence) for line in lines)


@lru_cache(maxsize=1)
def of_changes() -> tuple[Context, ...]:
    """What the predicate of a consent looks at."""
    whole, bare = (evidence.order for evidence in examples())
    pairs = ((whole, replace(whole, requested_on=date(2026, 1, 9), totals=bare.totals)), (bare, bare), (bare, whole))
    return tuple({"change": fact} for fact in _facts(pairs))


def _facts(pairs: Sequence[tuple[Order, Order]]) -> Iterator[Mapping[str, object]]:
    for before, after in pairs:
        yield consent_facts(proposal(before, Amendment(after, {}, ()), Progress()), "sales_rep")


def examples() -> tuple[engine.Evidence, engine.Evidence]:
    """One order with all that there can be, and one with nothing that may be missing."""
    whole = engine.Evidence(
        order=_whole(),
        customer=Customer("cus_example", "Example", "USD", free_multiple_skus=("PUMP",)),
        products={
            "PUMP": Product("PUMP", "Pump", list_price=_usd("129.00"), standard_cost=_usd("80.00"), multiple=2),
            "VISIT": Product("VISIT", "Visit", kind="service", list_price=_usd("95.00")),
        },
        agreements={"PUMP": (PriceAgreement("cus_example", "PUMP", _usd("125.00"), date(2026, 1, 1)),)},
        credit=engine.Credit(is_granted=True, exposure_minor=100_00, limit_minor=5_000_00),
        duplicates=("SO-1",),
        today=date(2026, 1, 2),
        history=engine.CustomerHistory(window_minor=50_00, order_count=3, usual_quantities={"PUMP": 4}),
    )
    customer = Customer("cus_example", "Example", "USD", is_active=False)
    refused = engine.Credit(is_granted=False, exposure_minor=0, limit_minor=0)
    return whole, engine.Evidence(_bare(), customer, {}, {}, refused, (), date(2026, 1, 2))


def example_order() -> Order:
    """An order with nothing that may be missing, where one is needed and none is there."""
    return _bare()


def _usd(amount: str) -> UnitPrice:
    return UnitPrice.parse(amount, "USD")


def _line(line_id: str, sku: str, quantity: int, price: str, reference: str, kind: str, source: str) -> Line:
    asked = _usd(price)
    known = _usd(reference) if reference else None
    return Line(
        line_id,
        sku,
        sku,
        kind,
        quantity,
        asked,
        extend(asked, quantity),
        known,
        source,
        is_known=bool(reference),
        tax=_TAX,
    )


def _whole() -> Order:
    lines = (
        _line("1", "PUMP", 6, "120.00", "125.00", "stock", "given"),
        _line("2", "VISIT", 1, "95.00", "95.00", "service", "list"),
    )
    return replace(
        _bare(),
        channel_ref="WEB-1",
        po_number="PO-1",
        ship_to=Address("Dock 4", "1 Main Street", "Dallas", "TX", "75001", "US"),
        requested_on=date(2026, 1, 5),
        lines=lines,
        totals=totals(lines, _cents(20_00), _cents(15_00), DEFAULT_TAXATION),
    )


_TAX = TaxKind.at(Decimal("0.08"))


def _cents(minor: int) -> Money:
    return Money(minor, "USD")


def _bare() -> Order:
    line = _line("1", "UNKNOWN", 1, "0", "", "stock", "none")
    return Order(
        order_id="ord_example",
        number="SO-2",
        version=1,
        phase=RECEIVED,
        customer_id="cus_example",
        customer_name="Example",
        channel="web",
        channel_ref="",
        po_number="",
        currency="USD",
        payment_method="terms",
        net_days=30,
        tax_rate=Decimal(0),
        ship_to=Address(),
        requested_on=None,
        is_ship_complete=False,
        placed_at=datetime(2026, 1, 2, 9, tzinfo=UTC),
        placed_by="ann",
        placed_by_role="customer",
        on_behalf_of="",
        note="",
        lines=(line,),
        totals=totals((line,), _cents(0), _cents(0), DEFAULT_TAXATION),
    )
