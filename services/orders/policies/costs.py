"""What the predicates of a policy cost: too much to be taken, or too much to run in the process that serves everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument
from services.orders.domain.matrix import ReviewRule
from services.orders.domain.policies import Policy, Rule
from services.orders.domain.policy_text import invalid
from services.orders.policies import examples
from services.runtime.predicates import cost as predicate_cost
from services.runtime.predicates.cost import Extent
from services.runtime.predicates.evaluator import Answer, shared_evaluator
from services.runtime.predicates.text import Unreadable, parse

LIMIT = 2_000_000
"""Steps that one rule may take on the largest order: a fifth of a second."""
LIMIT_OF_ALL = 10_000_000
"""Steps that all rules of a policy may take together on it."""

CONSENT = "consent"
CHANGE = "change"
_HERE = 200_000
"""Steps of a predicate that may run in the process itself: some hundredths of a second."""
_ALL_HERE = 2_000_000
_TOO_MUCH = (
    f"steps on the largest order, and {LIMIT:,} are allowed: walk a list once, not within another walk, and with exists or all, "
    "for map and filter copy it; a rule of lines has order.line_count and line.sku_quantity and names no other line"
)
_LINES = re.compile(r"\blines\b")
_TURNED = 10
"""Steps of turning one line into what CEL reads, which a rule that names all lines needs anew for each line."""
_MANY = 1_000
"""Earlier orders with the same purchase order number, at most."""

Predicate = tuple[str, str, str]
"""Code, scope, text."""


def predicates_of(policy: Policy) -> Iterator[Predicate]:
    """Every predicate of the policy; the one of its consent has the scope of a change."""
    every: list[Rule | ReviewRule] = [*policy.rules, *policy.reviews]
    yield from ((rule.code, rule.scope, rule.when) for rule in every)
    if policy.consent.when:
        yield CONSENT, CHANGE, policy.consent.when


def check(policy: Policy) -> None:
    """InvalidArgument POLICY_INVALID names the rule that costs too much, what it costs and what is allowed; or a sum that does."""
    total = 0
    for code, scope, when in predicates_of(policy):
        try:
            cost = steps(scope, when, MAX_LINES)
        except Unreadable as why:
            raise _refused(code, str(why)) from why
        if cost > LIMIT:
            raise _refused(code, f"costs up to {cost:,} {_TOO_MUCH}", cost=cost, limit=LIMIT)
        total += cost
    if total > LIMIT_OF_ALL:
        sentence = (
            f"all rules together cost up to {total:,} steps on the largest order, and {LIMIT_OF_ALL:,} are allowed"
        )
        raise invalid("", sentence, cost=str(total), limit=str(LIMIT_OF_ALL))


def try_out(policy: Policy) -> None:
    """Run every predicate on the largest order, in a process that may die of it; InvalidArgument POLICY_INVALID names which one did."""
    for scope in ("header", "line", CHANGE):
        found = {when: code for code, of, when in predicates_of(policy) if of == scope and when not in _tried(of)}
        for code, answer in zip(found.values(), _on_the_largest(scope, list(found)), strict=True):
            if isinstance(answer, str):
                raise _refused(code, f"cannot run on an order of {MAX_LINES:,} lines: {answer}")
        if len(_tried(scope)) > _REMEMBERED:
            _tried(scope).clear()
        _tried(scope).update(found)


_REMEMBERED = 2_000
_TRIED_WITHIN_S = 30.0
"""A busy machine is no fault of a rule; the limit of processor time is."""


@lru_cache(maxsize=3)
def _tried(_scope: str) -> set[str]:
    """Texts that ran on the largest order: most versions of a policy change a rule or two."""
    return set()


def _on_the_largest(scope: str, predicates: Sequence[str]) -> Sequence[Answer]:
    shared, lines = examples.of_largest() if scope != CHANGE else ({}, examples.of_changes())
    each = lines if scope != "header" else ({},)
    return shared_evaluator().ask(shared, each, predicates, _TRIED_WITHIN_S)


@lru_cache(maxsize=256)
def apart(policy: Policy, size: int) -> frozenset[str]:
    """Codes of the rules that run in the evaluator process for orders of up to `size` lines: what one may cost is not borne here.

    A policy that was stored before costs were limited may hold such that no order bears.
    """
    found, total = set(), 0
    for code, scope, when in predicates_of(policy):
        try:
            cost = steps(scope, when, size)
        except Unreadable:
            cost = LIMIT
        total += cost
        if cost > _HERE or total > _ALL_HERE:
            found.add(code)
            total -= cost
    return frozenset(found)


def size_of(line_count: int) -> int:
    """Orders of about the same length are weighed alike: the next power of two."""
    return 1 << max(line_count - 1, 0).bit_length()


@lru_cache(maxsize=4096)
def steps(scope: str, when: str, line_count: int) -> int:
    """The most steps of a predicate on an order of so many lines; Unreadable when it cannot be weighed."""
    cost = predicate_cost.steps(parse(when), _known(scope, line_count))
    if scope != "line":
        return cost
    return line_count * (cost + (line_count * _TURNED if _LINES.search(when) else 0))


@lru_cache(maxsize=64)
def _known(scope: str, line_count: int) -> Mapping[str, Extent]:
    of_scope = {"header": examples.of_orders, "line": examples.of_lines, CHANGE: examples.of_changes}[scope]
    return predicate_cost.extents_of(of_scope()[0], {"lines": line_count, "po_orders": _MANY})


def _refused(code: str, why: str, **figures: int) -> InvalidArgument:
    where = CONSENT if code == CONSENT else f"rule {code}"
    return invalid(where, f"`when` {why}", rule=code, **{name: str(figure) for name, figure in figures.items()})
