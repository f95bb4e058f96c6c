"""The board shows the same to a terminal and to a file."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from samples.narration import Board, orders_table, stations


def an_order(**changes: Any) -> dict[str, Any]:
    axes = {"review": "accepted", "fulfilment": "part_shipped", "billing": "part", "payment": "unpaid"}
    return {
        "number": "SO-1001",
        "channel": "web",
        "customer_name": "ACME",
        "total": {"amount": "1381.27", "currency": "USD"},
        "status": "partially_shipped",
        "axes": axes,
        "waiting_for": {"who": "warehouse", "what": "pack SH-1001"},
        **changes,
    }


def signs(order: dict[str, Any]) -> str:
    return "".join(mark.partition("]")[2].partition("[")[0] for mark in stations(order))


def test_an_order_shows_how_far_it_has_come() -> None:
    assert signs(an_order()) == "●◐◐◐··"
    done = {"review": "accepted", "fulfilment": "closed", "billing": "full", "payment": "paid"}
    assert signs(an_order(axes=done)) == "●●●●●●"
    new = {"review": "received", "fulfilment": "unrouted", "billing": "none", "payment": "unpaid"}
    assert signs(an_order(axes=new)) == "······"
    assert signs(an_order(axes={})) == "······"


def test_without_a_terminal_each_sentence_is_a_plain_line() -> None:
    written = io.StringIO()
    with Board(Console(file=written, width=160)) as board:
        board.chapter(3)
        board.say("[bold]SO-1001[/] web: accepted")
        board.show([an_order()])
    board.summary()

    lines = written.getvalue().splitlines()
    assert lines[1] == "Loading the samples"
    assert lines[2].endswith("SO-1001 web: accepted")
    assert "\x1b" not in written.getvalue()
    assert "1,381.27" in lines[-1]
    assert lines[-1].rstrip().endswith("warehouse: pack SH-1001")


def test_in_a_terminal_the_board_lives_and_the_summary_stays() -> None:
    written = io.StringIO()
    with Board(Console(file=written, width=160, force_terminal=True)) as board:
        board.chapter(2)
        board.step()
        board.say("something")
        board.show([an_order()])
    board.summary()

    assert "SO-1001" in written.getvalue().rpartition("\x1b[2K")[2]


def test_an_order_that_is_waiting_on_nobody_says_nothing() -> None:
    written = io.StringIO()

    Console(file=written, width=160).print(orders_table([an_order(waiting_for=None)], 160))

    assert written.getvalue().rstrip().endswith("partially shipped")


def test_a_narrow_terminal_keeps_every_order_on_one_line() -> None:
    for width in (80, 120, 160):
        written = io.StringIO()
        Console(file=written, width=width).print(orders_table([an_order(customer_name="Long Name " * 9)] * 3, width))

        lines = written.getvalue().splitlines()
        assert len(lines) == 4
        assert all("SO-1001" in line and "1,381.27" in line and "partially shipped" in line for line in lines[1:])
