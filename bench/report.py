"""The figures as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import TOO_LOADED
from bench.pairs import DRIVER, SYSTEM

Figures = Mapping[str, Any]

_ROWS = {SYSTEM: "all of the system", DRIVER: "the driver, not counted"}
_LAST = {SYSTEM: 1, DRIVER: 2}
_NOTHING = {"median": 0.0}
_ALSO = {
    "orders_per_s": "orders/s",
    "life_p50_ms": "life p50, ms",
    "post_p50_ms": "POST p50, ms",
    "mails_lag_s": "last mail after last order, s",
    "http_requests": "HTTP requests an order",
}


def show(figures: Figures, out: Console) -> None:
    """Print a table a part that was measured."""
    machine = figures["machine"]
    out.print(f"\n{machine['cpus']} CPUs · Python {machine['python']} · load before {machine['load_before']}")
    for name, tables in _TABLES.items():
        if name in figures:
            for table in tables(figures[name]):
                out.print(f"\n[bold]{table.title}[/]")
                table.title = None
                out.print(table)
            out.print(belief(figures[name]))


def belief(part: Figures) -> str:
    """Whether the figures of a part can be believed, in a line of markup."""
    if part["is_believable"]:
        return f"[green]others took at most {part['others_share']:.0%} of the cores meanwhile[/]"
    return f"[bold red]{TOO_LOADED}[/]: {'; '.join(part['doubts'])}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _verdict(*, is_met: bool) -> str:
    return "[green]met[/]" if is_met else "[red]missed[/]"


def _order_to_cash(part: Figures) -> Iterator[Table]:
    title = (
        f"(a) CPU of an order from placed to paid, ms: {part['pairs']} pairs of {part['orders']} orders of "
        f"{part['lines_per_order']} lines, {part['at_once']} at once; median (range)"
    )
    table = _table(title, "process", "ours", "", "frame", "", "difference")
    ours, frame = (part["cpu_ms_per_order"][side] for side in ("ours", "frame"))
    for name in sorted(ours, key=lambda name: (_LAST.get(name, 0), -ours[name]["median"])):
        spent = ours[name]["median"] - frame.get(name, _NOTHING)["median"]
        cells = (*_median_and_range(ours[name]), *_median_and_range(frame.get(name)), f"{spent:.1f}")
        table.add_row(_ROWS.get(name, name), *cells, style="bold" if name == SYSTEM else None)
    table.add_row("ratio of ours to the frame", *_median_and_range(part["ratio"], digits=2), style="bold")
    yield table
    yield _for_information(part["also"])


def _for_information(also: Figures) -> Table:
    table = _table("(a) for information, because it waits as much as it works", "", "ours", "", "frame", "")
    for name, words in _ALSO.items():
        table.add_row(words, *_median_and_range(also["ours"][name]), *_median_and_range(also["frame"][name]))
    return table


def _median_and_range(spread: Figures | None, digits: int = 1) -> tuple[str, str]:
    """Two cells."""
    if spread is None:
        return "", ""
    return f"{spread['median']:.{digits}f}", f"({spread['least']:.{digits}f}–{spread['most']:.{digits}f})"


def _posting(part: Figures) -> Iterator[Table]:
    title = f"(b) POST /v1/orders at {part['rate_per_s']:.0f} a second, {part['requests']} requests"
    table = _table(title, "", "measured", "target", "")
    p99, target = part["p99_ms"], part["target_p99_ms"]
    table.add_row("p50", f"{part['p50_ms']:.0f} ms")
    table.add_row("p99", f"{p99:.0f} ms", f"≤ {target} ms", _verdict(is_met=p99 <= target))
    table.add_row("slowest", f"{part['max_ms']:.0f} ms")
    yield table


def _footprint(part: Figures) -> Iterator[Table]:
    table = _table("(c) start-up and memory of all processes", "", "measured", "target", "")
    ready, most = part["target_ready_s"], part["target_memory_mb"]
    table.add_row("ready after", f"{part['ready_s']} s", f"≤ {ready:.0f} s", _verdict(is_met=part["ready_s"] <= ready))
    for name in ("fresh", "after_work"):
        if name in part:
            used = part[name]
            words = f"memory {name.replace('_', ' ')}, PSS (RSS)"
            measured = f"{used['pss_mb']} ({used['rss_mb']}) MB"
            table.add_row(words, measured, f"≤ {most} MB", _verdict(is_met=used["pss_mb"] <= most))
    yield table


def _growth(part: Figures) -> Iterator[Table]:
    lines = _table(
        "(d) cost growth with lines", "lines", "POST ms", "ratio", "life ms", "history events", "history bytes"
    )
    names = ("lines", "place_ms", "ratio", "life_ms", "history_events", "history_bytes")
    for row in part["by_lines"]:
        lines.add_row(*(str(row[name]) for name in names))
    yield lines
    yield _change(part["change"])
    opened = _table(
        "(d) cost growth with open orders", "open orders", "POST p50 ms", "ratio", "POST p99 ms", "placed/s on the way"
    )
    columns = ("open_orders", "p50_ms", "ratio", "p99_ms", "placed_per_s")
    for each in part["by_open_orders"]:
        opened.add_row(*(str(each[name] or "") for name in columns))
    yield opened


def _change(part: Figures) -> Table:
    title = f"(d) a change that adds {part['added']} lines beside the placing of {part['lines']}"
    table = _table(title, "", "measured", "target", "")
    table.add_row("placing", f"{part['place_ms']:.0f} ms")
    table.add_row("change", f"{part['change_ms']:.0f} ms")
    target = part["target_ratio"]
    verdict = _verdict(is_met=part["ratio"] <= target)
    table.add_row("ratio of the change to the placing", f"{part['ratio']:.2f}", f"≤ {target:.2f}", verdict)
    return table


def _surroundings(part: Figures) -> Iterator[Table]:
    title = (
        f"(g) CPU of an order from placed to paid, ms: {part['rounds']} rounds of {part['orders']} orders of "
        f"{part['lines_per_order']} lines, {part['at_once']} at once; median"
    )
    kinds, ratios = part["cpu_ms_per_order"], part["ratio"]
    table = _table(title, "process", *kinds)
    spent = {name: [by_process.get(name) for by_process in kinds.values()] for row in kinds.values() for name in row}
    for name in sorted(spent, key=lambda name: (_LAST.get(name, 0), -max(filter(None, spent[name]), default=0.0))):
        cells = ("" if each is None else f"{each:.1f}" for each in spent[name])
        table.add_row(_ROWS.get(name, name), *cells, style="bold" if name == SYSTEM else None)
    yield table
    beside = _table("(g) as a multiple of that without traces, on one machine", "", "measured", "", "target", "")
    for kind, target in part["targets"].items():
        is_met = ratios[kind]["median"] <= target
        beside.add_row(kind, *_median_and_range(ratios[kind], digits=2), f"≤ {target:.2f}", _verdict(is_met=is_met))
    yield beside


def _restart(part: Figures) -> Iterator[Table]:
    title = f"(f) Temporal and worker killed: {part['parked']} orders in review"
    table = _table(title, "", "measured", "target", "")
    slowest, target = max(part["first_ms"]), part["target_s"]
    table.add_row("ready again", f"{part['ready_again_s']} s")
    table.add_row("a decision takes effect, with nothing killed, in", f"{part['at_rest_ms']:.0f} ms")
    words = ", ".join(f"{each:.0f}" for each in part["first_ms"])
    table.add_row(
        "the first after each kill", f"{words} ms", f"≤ {target:.0f} s", _verdict(is_met=slowest <= target * 1e3)
    )
    table.add_row("the slowest as a multiple of the one with nothing killed", f"{part['ratio']}")
    yield table


def _long_queue(part: Figures) -> Iterator[Table]:
    title = f"(e) one SKU that {part['waiting']} orders wait for, inventory alone"
    table = _table(title, "", "answered in", "", "last one served after", "others' p99", "")
    for name, words in (("announcement", "an announcement"), ("goods", "goods")):
        took, most = part[name], part["alone_p99_ms"] * part["target_ratio"]
        table.add_row(
            words,
            f"{took['answered_s']} s",
            _verdict(is_met=took["answered_s"] <= part["target_s"]),
            f"{took['served_s']} s",
            f"{took['others_p99_ms']} ms",
            _verdict(is_met=took["others_p99_ms"] <= most),
        )
    table.add_row("nothing", "", "", "", f"{part['alone_p99_ms']} ms", "")
    yield table


def _hot_sku(part: Figures) -> Iterator[Table]:
    title = (
        f"(h) one SKU that {part['waiting']} orders wait for: others' POST /v1/orders for {part['seconds']:.0f} s each"
    )
    table = _table(title, "", "answered in", "others' p50", "others' p99", "ratio to alone", "target", "")
    for name, words in (("announcement", "an announcement"), ("goods", "goods")):
        took, others = part[name], part[name]["others"]
        cells = (f"{took['answered_s']} s", f"{others['p50_ms']:.0f} ms", f"{others['p99_ms']:.0f} ms")
        target = part["target_ratio"]
        table.add_row(
            words, *cells, f"{took['ratio']:.2f}", f"≤ {target:.2f}", _verdict(is_met=took["ratio"] <= target)
        )
    table.add_row("nothing", "", f"{part['alone']['p50_ms']:.0f} ms", f"{part['alone']['p99_ms']:.0f} ms", "", "", "")
    yield table


def _sourcing(part: Figures) -> Iterator[Table]:
    title = f"(i) sourcing {part['lines']} lines from {part['nodes']} warehouses"
    table = _table(title, "freight", "CPU", "target", "", "above the best possible at most")
    for kind, words in (("additive", "adds up"), ("stepped", "has steps")):
        took = part[kind]
        verdict = _verdict(is_met=took["cpu_s"] <= took["target_s"])
        table.add_row(words, f"{took['cpu_s']} s", f"≤ {took['target_s']} s", verdict, f"{took['gap_percent']} %")
    yield table


_TABLES: Mapping[str, Callable[[Figures], Iterator[Table]]] = {
    "order_to_cash": _order_to_cash,
    "posting": _posting,
    "footprint": _footprint,
    "growth": _growth,
    "long_queue": _long_queue,
    "hot_sku": _hot_sku,
    "sourcing": _sourcing,
    "surroundings": _surroundings,
    "restart": _restart,
}
