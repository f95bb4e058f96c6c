"""`python -m bench`: measures an order's CPU beside its frame, with traces and in production, latency, start-up, memory, growth, restarts and a SKU that many wait for.

It prints tables and JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import (
    company,
    footprint,
    growth,
    hot_sku,
    long_queue,
    order_to_cash,
    posting,
    report,
    restart,
    sourcing,
    surroundings,
)
from bench.door import Door
from bench.machine import LoadSpan
from bench.system import System, system
from cli.refusals import CommandRefused

PARTS = {
    "a": "CPU of an order beside its frame, in pairs",
    "b": "latency of POST",
    "c": "start-up and memory",
    "d": "growth with lines and with open orders",
    "e": "one SKU that thousands wait for",
    "f": "restarts of Temporal and the worker",
    "g": "CPU of an order with traces, with their collector away, and in production, beside that without",
    "h": "latency of others' POST while goods come for the SKU of part e",
    "i": "CPU of sourcing an order of 100 lines from 12 warehouses",
}
_APART = {"a", "e", "g", "h", "i"}
Say = Callable[[str], None]
Figures = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for; 0 when it could be measured, whether or not targets are met and figures are to be believed."""
    chosen = parse(arguments)
    out = Console(stderr=chosen.json == "-", highlight=False, width=None if sys.stdout.isatty() else 140)
    try:
        figures = measure(chosen, lambda words: out.print(f"[dim]{words}[/]"))
    except CommandRefused as refusal:
        print(f"bench: {refusal}", file=sys.stderr)
        return 1
    report.show(figures, out)
    text = json.dumps(figures, indent=2)
    if chosen.json == "-":
        print(text)
    elif chosen.json:
        Path(chosen.json).write_text(text + "\n")
    else:
        out.print(f"\n{json.dumps(figures)}", soft_wrap=True, markup=False)
    return 0


def measure(chosen: argparse.Namespace, say: Say) -> Figures:
    """Every chosen part: (a), (g) and (h) on systems of their own, (e) on inventory alone, (i) on nothing, the others on one, the growth late because it leaves its orders open, the restarts last."""
    parts = set(chosen.only)
    figures: Figures = {
        "machine": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": [round(load, 2) for load in os.getloadavg()],
        }
    }
    if "a" in parts:
        figures["order_to_cash"] = order_to_cash.measure(chosen.pairs, chosen.orders, chosen.at_once, say)
    if "e" in parts:
        say(f"(e) {chosen.waiting} orders wait for one SKU")
        figures["long_queue"] = _assessed(lambda: long_queue.measure(chosen.waiting))
    if "g" in parts:
        figures["surroundings"] = surroundings.measure(chosen.pairs, chosen.orders, chosen.at_once, say)
    if "h" in parts:
        say(f"(h) {chosen.waiting} orders wait for one SKU, and others are placed")
        figures["hot_sku"] = _assessed(lambda: hot_sku.measure(chosen.waiting, chosen.seconds))
    if "i" in parts:
        say("(i) a large order is sourced")
        figures["sourcing"] = _assessed(sourcing.measure)
    if parts - _APART:
        figures |= _on_one_system(parts - _APART, chosen, say)
    return figures


def _on_one_system(parts: set[str], chosen: argparse.Namespace, say: Say) -> Figures:
    figures: Figures = {}
    say("starting the system")
    starting = LoadSpan()
    with system() as running:
        if "c" in parts:
            figures["footprint"] = {**footprint.at_start(running), **starting.assessed("the start")}
        if parts - {"c"}:
            figures |= _under_load(running, parts, chosen, say)
        if "c" in parts:
            figures["footprint"] |= footprint.after_work(running)
        if "f" in parts:
            say(f"(f) Temporal and worker killed {restart.RESTARTS} times, each with {chosen.parked} orders in review")
            door = Door(running.url, running.var)
            figures["restart"] = _assessed(lambda: restart.measure(running, door, chosen.samples, chosen.parked))
    return figures


def _under_load(running: System, parts: set[str], chosen: argparse.Namespace, say: Say) -> Figures:
    figures: Figures = {}
    door = Door(running.url, running.var)
    say("loading master data and stock")
    company.load_company(door)
    if "b" in parts:
        say(f"(b) {posting.RATE_PER_S:.0f} orders a second for {chosen.seconds:.0f} s")
        figures["posting"] = _assessed(lambda: posting.measure(door, chosen.seconds))
    if "d" in parts:
        say(f"(d) orders of {growth.LINE_COUNTS} lines, then {chosen.open_orders} open orders")
        figures["growth"] = _assessed(lambda: growth.measure(running, door, chosen.samples, chosen.open_orders))
    return figures


def _assessed(part: Callable[[], Figures]) -> Figures:
    """The part's figures, and whether the machine let them be believed."""
    span = LoadSpan()
    return {**part(), **span.assessed("this part")}


SIZES: dict[str, Any] = {
    "pairs": 3,
    "orders": 150,
    "at_once": 20,
    "seconds": 60.0,
    "samples": 10,
    "open_orders": [100, 1000, 5000],
    "parked": 300,
    "waiting": 5000,
}
QUICK: dict[str, Any] = {
    "pairs": 2,
    "orders": 40,
    "at_once": 20,
    "seconds": 10.0,
    "samples": 3,
    "open_orders": [50, 200],
    "parked": 40,
    "waiting": 500,
}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked for; sizes that are not given are those of SIZES, or of QUICK."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    listed = "; ".join(f"{part}: {words}" for part, words in PARTS.items())
    parser.add_argument("--only", type=_parts, default=list(PARTS), help=f"parts to measure, as in a,b ({listed})")
    parser.add_argument("--json", metavar="FILE", help="write the figures there; - is standard output")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument(
        "--pairs", type=_count, help="pairs of runs of part a, rounds of part g (3); one alone shows no range"
    )
    parser.add_argument("--orders", type=_count, help="orders of each run of parts a and e (150)")
    parser.add_argument("--at-once", type=_count, help="how many of them are under way at a time (20)")
    parser.add_argument("--seconds", type=float, help="length of part b, and of each of the three of part h (60)")
    parser.add_argument(
        "--samples",
        type=_count,
        help="whole lives a figure of part d, a quarter of its POSTs, decisions at rest of part f (10)",
    )
    parser.add_argument("--open-orders", type=_counts, help="steps of part d (100,1000,5000)")
    parser.add_argument("--parked", type=_count, help="orders in review before each kill of part f (300)")
    parser.add_argument("--waiting", type=_count, help="orders that wait for the one SKU of parts e and h (5000)")
    chosen = parser.parse_args(arguments)
    for name, size in (QUICK if chosen.quick else SIZES).items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, size)
    return chosen


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return parts


def _counts(text: str) -> list[int]:
    return sorted(_count(count) for count in text.split(","))


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count} is too few: 1 is the least")
    return count


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever ends it ends the systems that it started too
    sys.exit(main(sys.argv[1:]))
