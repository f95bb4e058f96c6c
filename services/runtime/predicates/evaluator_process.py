"""The process that runs predicates which may cost much: it dies of them, and whoever asked it lives.

A request is a line of JSON on its input: `shared` and `each` are what predicates look at, `predicates` are their texts. For each of
them it writes a line: the contexts, by their place in `each`, of which the predicate says anything but false, with what it said. It
runs all of them on one context after the other, because turning facts into what CEL reads costs hundreds of times what a predicate does.
Whatever is shared is turned again for each context, so what no text names is left out.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from typing import Any

import cel

MEMORY_BYTES = 256 << 20
CPU_S = 2
FAILURES = (ValueError, LookupError, TypeError, ArithmeticError, RuntimeError, AttributeError)
"""Everything a predicate can do wrong while it runs: unknown member, a line too few, wrong type, overflow, division by zero."""


def said(program: cel.Program, context: cel.Context) -> bool | str:
    """What a predicate says of a context; a text says why it says neither yes nor no."""
    try:
        verdict = program.execute(context)
    except FAILURES as failure:
        return f"{type(failure).__name__}: {str(failure).splitlines()[0][:200]}"
    return verdict if isinstance(verdict, bool) else f"it gives {type(verdict).__name__}, not true or false"


def answers(request: Mapping[str, Any]) -> list[list[tuple[int, bool | str]]]:
    """One answer a predicate, in their order."""
    predicates = request["predicates"]
    programs = [cel.compile(predicate) for predicate in predicates]
    text = " ".join(predicates)
    context = cel.Context(variables={name: value for name, value in request["shared"].items() if name in text})
    found: list[list[tuple[int, bool | str]]] = [[] for _ in programs]
    for place, own in enumerate(request["each"]):
        context.update(own)
        for program, spoken in zip(programs, found, strict=True):
            if verdict := said(program, context):
                spoken.append((place, verdict))
    return found


def limit_cpu(seconds: int) -> None:
    """From now on it may take so many seconds of processor time; then the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def main() -> None:
    """Answer until the input ends, as it does with the process that asks."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        limit_cpu(CPU_S)
        for answer in answers(json.loads(line)):
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
