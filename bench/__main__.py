"""`python -m bench`: measures throughput, latency, start-up, memory and growth; prints tables and JSON."""

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

from bench import footprint, frame, growth, house, order_to_cash, posting, report, restart
from bench.door import Door
from bench.system import System, system
from cli.refusals import CommandRefused

PARTS = ("a", "b", "c", "d", "e", "f")


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for; 0 when it could be measured, whether or not targets are met."""
    chosen = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # told to stop: the system that was started stops too
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


def measure(chosen: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Every chosen part: (e) on a system of its own, the others on one, the growth late because it leaves its orders open, the restarts last."""
    parts = chosen.only
    figures: dict[str, Any] = {
        "machine": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": [round(load, 2) for load in os.getloadavg()],
        }
    }
    if set(parts) - {"e"}:
        say("starting the system")
        with system() as running:
            if "c" in parts:
                figures["footprint"] = footprint.at_start(running)
            if set(parts) - {"c", "e"}:
                _under_load(running, parts, chosen, figures, say)
    if "e" in parts:
        say(f"(e) {chosen.orders} orders through empty rooms, {chosen.at_once} at once, and the baseline twice")
        figures["frame"] = frame.measure(chosen.orders, chosen.at_once)
    return figures


def _under_load(
    running: System,
    parts: Sequence[str],
    chosen: argparse.Namespace,
    figures: dict[str, Any],
    say: Callable[[str], None],
) -> None:
    door = Door(running.url, running.var)
    say("loading master data and stock")
    house.open_house(door)
    if "a" in parts:
        say(f"(a) {chosen.orders} orders from placed to paid, {chosen.at_once} at once, and the baseline twice")
        figures["order_to_cash"] = order_to_cash.measure(running, door, chosen.orders, chosen.at_once)
    if "b" in parts:
        say(f"(b) {posting.RATE_PER_S:.0f} orders a second for {chosen.seconds:.0f} s")
        figures["posting"] = posting.measure(door, chosen.seconds)
    if "d" in parts:
        say(f"(d) orders of {growth.LINE_COUNTS} lines, then {chosen.open_orders} open orders")
        figures["growth"] = growth.measure(running, door, chosen.samples, chosen.open_orders)
    if "c" in parts:
        figures["footprint"] |= footprint.after_work(running)
    if "f" in parts:
        say(
            f"(f) Temporal and worker killed {restart.RESTARTS} times, each after {chosen.parked} orders wait for a manager"
        )
        figures["restart"] = restart.measure(running, door, chosen.samples, chosen.parked)


SIZES: dict[str, Any] = {
    "orders": 150,
    "at_once": 20,
    "seconds": 60.0,
    "samples": 10,
    "open_orders": [100, 1000, 5000],
    "parked": 300,
}
QUICK: dict[str, Any] = {
    "orders": 40,
    "at_once": 20,
    "seconds": 10.0,
    "samples": 3,
    "open_orders": [50, 200],
    "parked": 40,
}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked for; sizes that are not given are those of SIZES, or of QUICK."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=_parts, default=list(PARTS), help="parts to measure (a,b,c,d,e,f)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there; - is standard output")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument("--orders", type=int, help="orders of part a (150)")
    parser.add_argument("--at-once", type=int, help="how many of them are under way at a time (20)")
    parser.add_argument("--seconds", type=float, help="length of part b (60)")
    parser.add_argument(
        "--samples",
        type=int,
        help="whole lives a figure of part d, a quarter of its POSTs, decisions at rest of part f (10)",
    )
    parser.add_argument("--open-orders", type=_counts, help="steps of part d (100,1000,5000)")
    parser.add_argument("--parked", type=int, help="orders that wait for a manager before each kill of part f (300)")
    chosen = parser.parse_args(arguments)
    for name, size in (QUICK if chosen.quick else SIZES).items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, size)
    return chosen


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}; there are a, b, c, d, e and f")
    return parts


def _counts(text: str) -> list[int]:
    return sorted(int(count) for count in text.split(","))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
