"""Trying the predicates of a policy on example orders, before they judge a real one: what is not there, and what is no yes or no."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import cel

from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, UnitPrice, extend
from services.orders.domain.amendment import Amendment
from services.orders.domain.masterdata import Customer, PriceAgreement, Product
from services.orders.domain.order import RECEIVED, Address, Line, Order, totals
from services.orders.domain.policies import Policy
from services.orders.domain.policy_text import invalid
from services.orders.domain.projection import Progress
from services.orders.domain.proposals import consent_facts, proposal
from services.orders.policies import engine

_LITERALS = re.compile(r"//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_BOUND = re.compile(r"\.\s*(?:exists|exists_one|all|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_CHAIN = re.compile(r"(?<![\w.)\]])([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+)(\s*\()?")

Context = Mapping[str, Any]


def check(policy: Policy) -> None:
    """InvalidArgument POLICY_INVALID names the rule whose predicate asks for what is not there, or gives no true or false.

    A predicate that only some orders make fail is stored: on those it comes to a hold for an administrator.
    """
    for rule, program in engine.compiled(policy):
        contexts = _of_lines() if rule.scope == "line" else _of_orders()
        _check(f"rule {rule.code}", rule.code, rule.when, program, contexts, rule.scope)
    if policy.consent.when:
        _check("consent", "consent", policy.consent.when, cel.compile(policy.consent.when), _of_changes(), "change")


def _check(where: str, code: str, when: str, program: cel.Program, contexts: Sequence[Context], scope: str) -> None:
    known = contexts[0]
    code_only = _LITERALS.sub("''", when)
    bound = set(_BOUND.findall(code_only))
    for name in program.variables():
        if name not in bound and name not in known:
            raise _refused(where, code, f"names {name}, but a {scope} predicate may look at {', '.join(known)}")
    for chain, is_call in _CHAIN.findall(code_only):
        named = [part.strip() for part in chain.split(".")]
        if named[0] in known and named[0] not in bound:
            _check_members(where, code, known, named[:-1] if is_call else named)
    _check_answers(where, code, program, contexts)


def _check_members(where: str, code: str, known: Context, named: Sequence[str]) -> None:
    """Follow a name such as order.ship_to.country as far as there are members."""
    value: Any = known
    for depth, name in enumerate(named):
        if not isinstance(value, Mapping):
            return
        if name not in value:
            sentence = f"names {'.'.join(named[: depth + 1])}, but {'.'.join(named[:depth])} has {', '.join(value)}"
            raise _refused(where, code, sentence)
        value = value[name]


def _check_answers(where: str, code: str, program: cel.Program, contexts: Sequence[Context]) -> None:
    failures = []
    for context in contexts:
        try:
            said = program.execute(cel.Context(variables=dict(context)))
        except engine.FAILURES as failure:
            failures.append(f"{type(failure).__name__}: {str(failure).splitlines()[0][:200]}")
            continue
        if not isinstance(said, bool):
            raise _refused(
                where, code, f"must give true or false, and gives {type(said).__name__}: compare it with something"
            )
    if len(failures) == len(contexts):
        raise _refused(where, code, f"fails whatever the order is like: {failures[0]}")


def _refused(where: str, code: str, why: str) -> InvalidArgument:
    return invalid(where, f"`when` {why}", rule=code)


@lru_cache(maxsize=1)
def _of_orders() -> tuple[Context, ...]:
    return tuple(engine.header_context(evidence) for evidence in _examples())


@lru_cache(maxsize=1)
def _of_lines() -> tuple[Context, ...]:
    return tuple(
        {**engine.header_context(evidence), **engine.line_context(line, evidence)}
        for evidence in _examples()
        for line in evidence.order.lines
    )


@lru_cache(maxsize=1)
def _of_changes() -> tuple[Context, ...]:
    whole, bare = (evidence.order for evidence in _examples())
    pairs = ((whole, replace(whole, requested_on=date(2026, 1, 9), totals=bare.totals)), (bare, bare), (bare, whole))
    return tuple({"change": fact} for fact in _facts(pairs))


def _facts(pairs: Sequence[tuple[Order, Order]]) -> Iterator[Mapping[str, object]]:
    for before, after in pairs:
        yield consent_facts(proposal(before, Amendment(after, {}, ()), Progress()), "sales_rep")


def _examples() -> tuple[engine.Evidence, engine.Evidence]:
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
        line_id, sku, sku, kind, quantity, asked, extend(asked, quantity), known, source, is_known=bool(reference)
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
        totals=totals(tuple(line.extended for line in lines), _cents(20_00), _cents(15_00), Decimal("0.08")),
    )


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
        totals=totals((line.extended,), _cents(0), _cents(0), Decimal(0)),
    )
