"""Trying the predicates of a policy on example orders, before they judge a real one: what is not there, and what is no yes or no."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import cel

from services.kernel.errors import InvalidArgument
from services.orders.domain.policies import Policy
from services.orders.domain.policy_text import invalid
from services.orders.policies import engine, examples
from services.orders.policies.examples import Context
from services.runtime.predicates.evaluator_process import FAILURES

_LITERALS = re.compile(r"//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_BOUND = re.compile(r"\.\s*(?:exists|exists_one|all|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_CHAIN = re.compile(r"(?<![\w.)\]])([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+)(\s*\()?")


def check(policy: Policy) -> None:
    """InvalidArgument POLICY_INVALID names the rule whose predicate asks for what is not there, or gives no true or false.

    A predicate that only some orders make fail is stored: on those it comes to a hold for an administrator.
    """
    for rule, program in engine.compiled(policy):
        contexts = examples.of_lines() if rule.scope == "line" else examples.of_orders()
        _check(f"rule {rule.code}", rule.code, rule.when, program, contexts, rule.scope)
    if policy.consent.when:
        _check(
            "consent", "consent", policy.consent.when, cel.compile(policy.consent.when), examples.of_changes(), "change"
        )


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
        except FAILURES as failure:
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
