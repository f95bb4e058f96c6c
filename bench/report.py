"""The figures as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

Figures = Mapping[str, Any]


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


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _verdict(*, is_met: bool) -> str:
    return "[green]met[/]" if is_met else "[red]missed[/]"


def _order_to_cash(part: Figures) -> Iterator[Table]:
    title = f"(a) order to cash: {part['orders']} orders of {part['lines_per_order']} lines, {part['at_once']} at once"
    table = _table(title, "", "measured", "target", "")
    before, after = (part[f"baseline_{when}"]["orders_per_s"] for when in ("before", "after"))
    ratio, target = part["ratio"], part["target_ratio"]
    table.add_row("orders/s", f"{part['orders_per_s']}")
    table.add_row("bare baseline, orders/s", f"{part['baseline_orders_per_s']}", f"({before} before, {after} after)")
    table.add_row("ratio", f"{ratio}", f"≥ {target}", _verdict(is_met=ratio >= target))
    table.add_row("life p50 / p99", f"{part['life']['p50_ms']:.0f} / {part['life']['p99_ms']:.0f} ms")
    table.add_row("POST p50 / p99", f"{part['place']['p50_ms']:.0f} / {part['place']['p99_ms']:.0f} ms")
    table.add_row("last mail after last order", f"{part['mails_lag_s']} s")
    yield table
    yield _cpu(part)


def _cpu(part: Figures) -> Table:
    table = _table("CPU, ms an order", "process", "ours", "share", "baseline")
    ours, bare = part["cpu_ms_per_order"], part["baseline_after"]["cpu_ms_per_order"]
    for name, spent in sorted(ours.items(), key=lambda each: (each[0] == "all", -each[1])):
        table.add_row(name, f"{spent:.1f}", f"{spent / ours['all']:.0%}", f"{bare[name]:.1f}" if name in bare else "")
    return table


def _frame(part: Figures) -> Iterator[Table]:
    title = f"(e) the frame: the same life with empty rooms, {part['orders']} orders, {part['at_once']} at once"
    table = _table(title, "", "measured")
    table.add_row("orders/s", f"{part['orders_per_s']}")
    table.add_row("bare baseline, orders/s", f"{part['baseline_orders_per_s']}")
    table.add_row("ratio", f"{part['ratio']}")
    yield table
    yield _cpu(part)


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
    lines = _table("(d) cost growth with lines", "lines", "POST ms", "life ms", "history events", "history bytes")
    for row in part["by_lines"]:
        lines.add_row(*(str(row[name]) for name in ("lines", "place_ms", "life_ms", "history_events", "history_bytes")))
    yield lines
    opened = _table(
        "(d) cost growth with open orders", "open orders", "POST p50 ms", "POST p99 ms", "placed/s on the way"
    )
    for row in part["by_open_orders"]:
        opened.add_row(str(row["open_orders"]), str(row["p50_ms"]), str(row["p99_ms"]), str(row["placed_per_s"] or ""))
    yield opened


def _restart(part: Figures) -> Iterator[Table]:
    title = f"(f) Temporal and worker killed: {part['parked']} orders wait for a manager"
    table = _table(title, "", "measured", "target", "")
    slowest, target = max(part["first_ms"]), part["target_s"]
    table.add_row("ready again", f"{part['ready_again_s']} s")
    table.add_row("a decision at rest takes effect in", f"{part['at_rest_ms']:.0f} ms")
    words = ", ".join(f"{each:.0f}" for each in part["first_ms"])
    table.add_row(
        "the first after each kill", f"{words} ms", f"≤ {target:.0f} s", _verdict(is_met=slowest <= target * 1e3)
    )
    table.add_row("ratio of the slowest", f"{part['ratio']}")
    yield table


_TABLES: Mapping[str, Callable[[Figures], Iterator[Table]]] = {
    "order_to_cash": _order_to_cash,
    "posting": _posting,
    "footprint": _footprint,
    "growth": _growth,
    "frame": _frame,
    "restart": _restart,
}
