"""Shows the day while it runs: a live board in a terminal, plain lines everywhere else."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.output import grouped, words

Row = dict[str, Any]

CHAPTERS = ("Loading the samples", "Orders come in", "People and warehouses work", "Goods come back", "The day closes")

_KEPT_LINES = 9
_WIDE = 124
_STATIONS = {
    "accepted": "acc",
    "released": "rel",
    "shipped": "ship",
    "invoiced": "inv",
    "delivered": "dlv",
    "paid": "paid",
}
"""Station of an order's life → its heading."""

_DONE, _PART, _NOT = "[green]●[/]", "[yellow]◐[/]", "[dim]·[/]"
_COLORS = {
    "completed": "green",
    "delivered": "green",
    "shipped": "cyan",
    "rejected": "red",
    "cancelled": "red",
    "on_hold": "yellow",
    "backordered": "yellow",
}


class Board:
    """What is known of the day, shown while it changes; use it as a context."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = time.monotonic()
        self._chapter = -1
        self._done, self._total = 0, 0
        self._orders: Sequence[Row] = ()
        self._lines: deque[tuple[float, str]] = deque(maxlen=_KEPT_LINES)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._picture, console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the live picture."""
        if self._live is not None:
            self._live.stop()

    def summary(self) -> None:
        """All orders as they were last shown, to keep."""
        if self._orders:
            self.console.print(self._orders_table())

    @property
    def elapsed_s(self) -> float:
        """Seconds since the day began."""
        return time.monotonic() - self._began

    def chapter(self, steps: int = 0) -> None:
        """The next chapter begins; it has so many steps, 0 when nobody knows."""
        self._chapter += 1
        self._done, self._total = 0, steps
        if self._live is None:
            self.console.print(f"\n{CHAPTERS[self._chapter]}", style="bold")

    def step(self) -> None:
        """One step of the chapter is done."""
        self._done += 1

    def progress(self, done: int, total: int) -> None:
        """How far the chapter is."""
        self._done, self._total = done, total

    def say(self, sentence: str) -> None:
        """Something happened that a reader wants to know; the sentence may carry Rich markup."""
        self._lines.append((self.elapsed_s, sentence))
        if self._live is None:
            self.console.print(f"{self.elapsed_s:6.1f} s  {sentence}", soft_wrap=True)

    def show(self, orders: Sequence[Row]) -> None:
        """The orders as they stand."""
        self._orders = orders

    def _picture(self) -> RenderableType:
        parts: list[RenderableType] = [self._headline()]
        if self._total:
            bar = Table.grid()
            bar.add_row(ProgressBar(total=self._total, completed=min(self._done, self._total), width=60))
            parts.append(bar)
        lines = Text("\n").join(Text.from_markup(f"[dim]{when:5.1f} s[/]  {what}") for when, what in self._lines)
        parts.append(Panel(lines, title="what is happening", title_align="left", border_style="dim"))
        if self._orders:
            parts.append(self._orders_table())
        return Group(*parts)

    def _orders_table(self) -> Table:
        return orders_table(self._orders, self.console.width)

    def _headline(self) -> Text:
        headings = []
        for number, name in enumerate(CHAPTERS):
            mark = "[green]✓[/]" if number < self._chapter else "[bold cyan]▶[/]" if number == self._chapter else " "
            style = "bold" if number == self._chapter else "dim"
            headings.append(f"{mark} [{style}]{name}[/]")
        return Text.from_markup("   ".join(headings) + f"   [dim]{self.elapsed_s:.0f} s[/]")


def orders_table(orders: Sequence[Row], width: int) -> Table:
    """One row an order: how far it has come and, where there is room, its channel and whom it waits for."""
    is_wide = width >= _WIDE
    table = Table(box=None, pad_edge=False, header_style="bold dim")
    for heading in ("Order", *(["Channel"] if is_wide else []), "Customer"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Total", justify="right", no_wrap=True)
    for heading in _STATIONS.values():
        table.add_column(heading, justify="center", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    if is_wide:
        table.add_column("Waiting on", no_wrap=True)
    for order in orders:
        table.add_row(*_cells(order, width))
    return table


def _cells(order: Row, width: int) -> list[str]:
    """The text columns are cut to what the terminal has left, so that every order stays on one line."""
    is_wide = width >= _WIDE
    waits = order.get("waiting_for") or {}
    sentence = f"{words(waits['who'])}: {waits['what']}" if waits else ""
    status = words(order["status"])
    return [
        order["number"],
        *([words(order["channel"])] if is_wide else []),
        _cut(order["customer_name"], 26 if is_wide else max(8, width - 73)),
        grouped(order["total"]["amount"]),
        *stations(order),
        f"[{_COLORS.get(order['status'], 'white')}]{status}[/]",
        *([_cut(sentence, width - 113)] if is_wide else []),
    ]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def stations(order: Row) -> list[str]:
    """A mark for each station of an order's life: passed, in part, not yet."""
    axes = order.get("axes") or {}
    fulfilment, billing, payment = (axes.get(name, "") for name in ("fulfilment", "billing", "payment"))
    is_shipped = fulfilment in ("fully_shipped", "delivered", "closed")
    is_delivered = fulfilment in ("delivered", "closed")
    marks = {
        "accepted": _mark(axes.get("review") == "accepted", is_part=axes.get("review") == "in_review"),
        "released": _mark(is_shipped or fulfilment == "fully_released", is_part=fulfilment.startswith("part")),
        "shipped": _mark(is_shipped, is_part=fulfilment == "part_shipped"),
        "invoiced": _mark(billing == "full", is_part=billing == "part"),
        "delivered": _mark(is_delivered, is_part=False),
        "paid": _mark(payment in ("paid", "over", "credited", "written_off"), is_part=payment == "part"),
    }
    return [marks[station] for station in _STATIONS]


def _mark(is_done: bool, *, is_part: bool) -> str:
    return _DONE if is_done else _PART if is_part else _NOT
