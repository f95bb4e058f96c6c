"""Predicates that would cost the whole system dear: refused at upload by what they cost, and survived where they are stored already."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import cel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.bounds import MAX_LINES
from services.kernel.errors import Conflict, InvalidArgument
from services.kernel.money import Money
from services.orders.domain.order import totals
from services.orders.domain.policies import MAX_RULES, Policy, parse_policy
from services.orders.domain.policy_text import POLICY_ERROR
from services.orders.domain.tax_parts import DEFAULT_TAXATION
from services.orders.policies import costs, engine, versions
from services.orders.policies.engine import Evidence
from services.orders.policies.examples import examples, of_largest, of_orders
from services.runtime.predicates import cost as predicate_cost
from services.runtime.predicates.evaluator import Evaluator
from services.runtime.predicates.text import Unreadable, parse
from tests.orders.desk import Desk

SEVEN_NESTED = "lines.all(x, " * 7 + "true" + ")" * 7
DOUBLED = "[lines]" + ".map(x, x + x)" * 15 + ".size() > 0"
"""230 characters; each turn is twice as large as the one before."""


def policy_of(when: str, scope: str = "header", **members: Any) -> Policy:
    rules = [
        {"code": code, "scope": of, "when": text, "severity": "WARN", "message": "big"}
        for code, of, text in (("BIG", scope, when), ("OTHER", "header", "order.line_count > 0"))
    ]
    return parse_policy({"rules": rules, **members}, 1)


def long_order(line_count: int) -> Evidence:
    whole = examples()[0]
    lines = tuple(
        replace(whole.order.lines[0], line_id=str(number), sku=f"SKU-{number % 100}") for number in range(line_count)
    )
    sums = totals(lines, Money.zero("USD"), Money.zero("USD"), DEFAULT_TAXATION)
    return replace(whole, order=replace(whole.order, lines=lines, totals=sums))


@pytest.mark.parametrize(
    ("when", "scope"),
    [
        (SEVEN_NESTED, "header"),
        (DOUBLED, "header"),
        ("[['aaaaaaaaaaaaaaaaaaaa']]" + ".map(x, x + x)" * 24 + ".size() > 0", "header"),
        ("['aaaaaaaaaaaaaaaaaaaa']" + ".map(x, x + x)" * 40 + "[0] == order.number", "header"),
        ("lines.exists(x, lines.exists(y, x.sku == y.sku && x.line_id != y.line_id))", "header"),
        ("lines.exists(x, x.sku == line.sku && x.line_id != line.line_id)", "line"),
        ("line.quantity > 1 && size(lines) == 3", "line"),
        ("lines.filter(x, x.quantity > 5).size() > 3", "header"),
        ("lines.map(x, lines.map(y, lines)).size() > 0", "header"),
        ("[1,2,3,4,5,6,7,8,9,0].all(a, " * 8 + "true" + ")" * 8, "header"),
        ("lines.exists(x, x.sku.matches('\\\\w{1,50}'))", "header"),
        ("order.number.matches('((((x{1,10}){1,10}){1,10}){1,10}){1,10}')", "header"),
        ("order.number.matches('(x{1000}){1000}')", "header"),
    ],
)
def test_a_predicate_that_costs_too_much_is_refused_with_its_cost_and_the_limit(when: str, scope: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^rule BIG: `when` costs up to [0-9,]{9,} steps") as refusal:
        versions.check(policy_of(when, scope))

    assert refusal.value.reason == "POLICY_INVALID"
    assert refusal.value.detail["rule"] == "BIG"
    assert int(refusal.value.detail["cost"]) > int(refusal.value.detail["limit"]) == costs.LIMIT
    assert "2,000,000 are allowed: walk a list once" in str(refusal.value)


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("order.number.replace('a', 'b') == 'b'", "calls replace, but a predicate may call all, contains, "),
        ("order.number.matches(order.po_number)", "a pattern that is computed"),
        ("order.is_ship_complete == " + "(" * 60 + "true" + ")" * 60, "it nests more than 50 levels"),
        ("(" * 19 + "order" + (".number" * 12 + ")") * 19 + " == ''", "it nests more than 100 levels"),
        ("(" * 13 + "lines" + ("[0]" * 49 + ")") * 13 + " == 0", "it nests more than 100 levels"),
        ("order" + ".number" * 120 + " == ''", "it nests more than 100 levels"),
    ],
)
def test_what_cannot_be_weighed_is_refused(when: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match="rule BIG: `when`") as refusal:
        versions.check(policy_of(when))

    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("when", "scope"),
    [
        ("lines.exists(x, x.kind == 'service') && lines.all(x, x.quantity < 1000)", "header"),
        ("order.number.matches('^SO-[0-9]+$') || order.po_number.matches('[A-Z]{2,4}-.*')", "header"),
        (
            "product.kind == 'stock' && line.quantity % 2 != 0 ? line.unit_price > 5.0 : line.sku.startsWith('X')",
            "line",
        ),
        ("!(-line.quantity in [1, 2, 3]) && {'a': 1}['a'] == 1 && 'STATE' in order.ship_to_missing", "line"),
        ("order.total > 5.0 // over five\n && \"it's\" != 'a\\'b' && size(r'\\d') == 2", "header"),
        ("timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026 && int('1') + size([1, 2,]) == 3", "header"),
    ],
)
def test_a_rule_as_people_write_them_is_kept(when: str, scope: str) -> None:
    versions.check(policy_of(when, scope))


def test_many_rules_that_are_dear_together_are_refused() -> None:
    # each costs some 70 steps a line and is far below its own limit
    when = f"lines.all(x, {' && '.join(9 * ['x.kind != x.sku'])})"
    rules = [
        {"code": f"RULE_{number}", "when": when, "severity": "WARN", "message": "big"} for number in range(MAX_RULES)
    ]

    with pytest.raises(InvalidArgument, match=r"all rules together cost up to [0-9,]+ steps") as refusal:
        versions.check(parse_policy({"rules": rules}, 1))

    assert int(refusal.value.detail["cost"]) > int(refusal.value.detail["limit"]) == costs.LIMIT_OF_ALL


def test_a_consent_predicate_is_bounded_alike() -> None:
    nested = "change.kinds.all(x, " * 7 + "true" + ")" * 7

    with pytest.raises(InvalidArgument, match=r"^consent: `when` costs up to"):
        versions.check(policy_of("true", consent={"when": nested}))


def test_a_predicate_that_breaks_the_process_which_tries_it_is_refused_and_the_next_one_is_tried() -> None:
    bomb = "[[lines]]" + ".map(x, x + x)" * 40 + ".size() > 0"

    with pytest.raises(
        InvalidArgument, match=rf"^rule BIG: `when` cannot run on an order of {MAX_LINES:,} lines: it takes"
    ):
        costs.try_out(policy_of(bomb))

    costs.try_out(policy_of("size(lines) > 5"))


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("[1,2,3,4,5,6,7,8,9,0].all(x, " * 9 + "true" + ")" * 9, "2 s of processor time"),
        (DOUBLED, "256 MiB of memory"),
    ],
)
def test_a_stored_rule_that_cannot_be_run_holds_the_order_with_a_reason_and_the_others_still_speak(
    when: str, why: str
) -> None:
    verdicts = engine.evaluate(policy_of(when), long_order(100))

    (held, other) = verdicts.violations
    assert (held.code, held.severity, held.owner_role) == (POLICY_ERROR, "HOLD", "admin")
    assert re.match(
        rf"rule BIG could not be evaluated: it (takes more than {why}|did not answer in time)", held.message
    )
    assert other.code == "OTHER"


def test_a_stored_consent_rule_that_cannot_be_run_asks_the_customer() -> None:
    nested = "[1,2,3,4,5,6,7,8,9,0].all(x, " * 8 + "false" + ")" * 8

    assert engine.is_consent_needed(
        policy_of("true", consent={"when": f"{DOUBLED.replace('lines', 'change.kinds')}"}), {"kinds": ["a"] * 99}
    )
    assert not engine.is_consent_needed(policy_of("true", consent={"when": nested}), {"kinds": []})


def test_a_dear_rule_says_apart_what_it_would_say_here() -> None:
    # a line rule that walks 200 lines for each of 200: SKU-0 … SKU-99 are on two lines each, and on line 7 nobody looks
    policy = policy_of("line.line_id != '7' && lines.exists(x, x.sku == line.sku && x.line_id != line.line_id)", "line")

    verdicts = engine.evaluate(policy, long_order(200))

    assert costs.apart(policy, costs.size_of(200)) == {"BIG"}
    assert costs.apart(policy, costs.size_of(5)) == frozenset()
    assert [one.line_id for one in verdicts.violations if one.code == "BIG"] == [
        str(at) for at in range(200) if at != 7
    ]
    assert [one.code for one in verdicts.violations][-1] == "OTHER"


@pytest.fixture
def evaluator() -> Iterator[Evaluator]:
    evaluator = Evaluator()
    yield evaluator
    evaluator.close()


def test_an_evaluator_that_hangs_is_ended_and_another_one_answers(evaluator: Evaluator) -> None:
    evaluator.ask({"x": 1}, [{}], ["x > 0"])
    assert evaluator._child is not None
    os.kill(evaluator._child.pid, signal.SIGSTOP)

    hung = evaluator.ask({"x": 1}, [{}], ["x < 5"], within_s=0.2)

    assert hung == ["it did not answer in time"]
    assert evaluator.ask({"x": 1}, [{}], ["x < 6"]) == [[(0, True)]]


def test_a_predicate_of_which_the_process_died_is_not_run_again_and_its_neighbors_are(evaluator: Evaluator) -> None:
    bomb = "[[x]]" + ".map(y, y + y)" * 40 + ".size() > 0"
    first = evaluator.ask({"x": 1}, [{}], ["x == 1", bomb, "x > 5"])
    alive = evaluator._child

    again = evaluator.ask({"x": 1}, [{}], [bomb, "x == 1", bomb])

    assert first == [[(0, True)], "it takes more than 256 MiB of memory, or breaks what runs it", []]
    assert again == [first[1], [(0, True)], first[1]]
    assert evaluator._child is alive


def test_rules_that_the_process_bears_together_are_all_heard_on_the_largest_order(evaluator: Evaluator) -> None:
    # one by one each turns 2,000 lines anew: more than the two seconds of processor time that a run has
    shared, each = of_largest()
    rules = [f"line.quantity > {number} && product.multiple != 3" for number in range(5, 65)]

    answers = evaluator.ask(shared, each, rules)

    assert [len(answer) for answer in answers] == [MAX_LINES] + [0] * 59  # each line has six
    assert evaluator._given_up == {}


def test_who_waits_in_vain_for_others_is_refused_for_now_and_no_predicate_is_blamed(evaluator: Evaluator) -> None:
    evaluator.ask({"x": 1}, [{}], ["x > 0"])
    alive = evaluator._child

    with evaluator._lock, pytest.raises(Conflict, match="try again") as refusal:
        evaluator.ask({"x": 1}, [{}], ["x == 1"], within_s=0.05)

    assert (refusal.value.reason, evaluator._given_up) == ("EVALUATOR_BUSY", {})
    assert evaluator.ask({"x": 1}, [{}], ["x == 1"]) == [[(0, True)]]
    assert evaluator._child is alive


class Overtaken:
    """A lock that somebody else has until they have given up a predicate."""

    def __init__(self, evaluator: Evaluator, predicate: str) -> None:
        self.evaluator, self.predicate = evaluator, predicate

    def acquire(self, timeout: float = -1) -> bool:
        assert timeout
        self.evaluator._given_up[self.predicate] = (time.monotonic() + 300, "it breaks")
        return True

    def release(self) -> None:
        """Nobody waits."""

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_failure: object) -> None:
        self.release()


def test_a_predicate_given_up_while_one_waits_leaves_its_neighbors_their_own_answers(evaluator: Evaluator) -> None:
    evaluator._lock = Overtaken(evaluator, "x > 5")  # type: ignore[assignment]  # a lock as far as it is used

    answers = evaluator.ask({"x": 1}, [{}], ["x > 5", "x == 1", "x > 6"])

    assert answers == ["it breaks", [(0, True)], []]


@given(st.text(alphabet="ab.'\"/() ,[]{}&|!<>=1?:+-", max_size=30))
def test_whatever_cel_compiles_is_weighed_or_refused(text: str) -> None:
    try:
        cel.compile(text)
    except ValueError:
        return
    with suppress(Unreadable):
        assert predicate_cost.steps(parse(text), {}) >= 1


def test_the_bound_grows_with_what_a_predicate_walks() -> None:
    known = predicate_cost.extents_of(of_orders()[0], {"lines": 1_000})
    once, twice = (
        predicate_cost.steps(parse(when), known) for when in ("lines.all(x, true)", "lines.all(x, lines.all(y, true))")
    )

    assert 5_000 <= once <= 10_000
    assert twice >= 1_000 * once


@pytest.mark.on_postgres
def test_a_policy_that_costs_too_much_is_never_stored(desk: Desk) -> None:
    rule = {"code": "BAD", "when": SEVEN_NESTED, "severity": "BLOCK", "message": "never"}

    with pytest.raises(InvalidArgument, match="rule BAD"), desk.database.transaction() as session:
        versions.put_policy(session, {"rules": [rule]}, "root", desk.now)

    with desk.database.reading() as session:
        assert versions.list_policies(session) == []
