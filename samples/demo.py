"""A narrated day of the wholesaler, from the first order to clean books, through the public API alone."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cli.output import words
from samples import documents, loading, walkthrough
from samples.closing import Closing, broken, logins_table, temporal_ui
from samples.documents import Body, Day, Placing
from samples.door import Door, Refusal, Row, Unanswered
from samples.narration import Board
from samples.people import People
from samples.reverse import Reverse

DAY_S = 70.0
"""The day ends after so many seconds, finished or not."""

_PAUSE_S = 0.25
_AT_REST = frozenset(["completed", "completed_with_cancellations", "rejected", "cancelled", "expired"])


def run(base_url: str, keep: bool = False, *, var: Path | None = None, console: Console | None = None) -> Sequence[str]:
    """Play the day on the system at `base_url`; what went wrong: nothing when every order came to rest and the audit is clean.

    `var` is the folder of that system (keys, mails); OMS_VAR or "var" when it is not given. `keep` only says that the system
    stays up afterwards, so that the addresses at the end are worth a visit.
    """
    folder = var or Path(os.environ.get("OMS_VAR", "var"))
    out = console or Console(highlight=False, width=None if Console().is_terminal else 160)
    door = Door(base_url, folder)
    try:
        problems: Sequence[str] = _Day(door, folder, out).play()
    except (Refusal, Unanswered) as refusal:
        problems = [str(refusal)]
    finally:
        door.close()
    for problem in problems:
        out.print(f"[bold red]{problem}[/]", soft_wrap=True)
    _show_doors(out, base_url, folder, keep=keep)
    return problems


def _show_doors(out: Console, base_url: str, var: Path, *, keep: bool) -> None:
    """Where a reader can look around, and as whom."""
    staff = documents.read("people")
    out.print("\n[bold]Logins[/]")
    out.print(logins_table(staff["people"], staff["password"]))
    out.print(
        f"\nConsole        {base_url}\nAPI reference  {base_url}/docs\nTemporal UI    {temporal_ui(var)}",
        soft_wrap=True,
    )
    if not keep:
        out.print("The system stops now. To keep it up and open these pages: make demo ARGS=--keep", soft_wrap=True)


class _Day:
    """One day: its door, its board, and the orders it has placed."""

    def __init__(self, door: Door, var: Path, out: Console) -> None:
        self._door = door
        self._day: Day = documents.day()
        self._out = out
        self._var = var
        self._board = Board(out)
        self._closing = Closing(door, self._day, var)
        self._problems: list[str] = []
        self._placed: dict[str, str] = {}  # key → order id

    def play(self) -> Sequence[str]:
        """From opening to closing; what went wrong, nothing when all is well."""
        with self._board as board:
            mark = loading.day_mark(self._door, self._day)
            loading.load_samples(self._door, self._day, board, mark)
            self._place_all(mark)
            reverse = Reverse(self._door, self._day, board, f"demo{mark}", self._placed)
            people = self._run_day(mark, reverse)
            if not self._problems:
                board.chapter()
                reverse.take_back(people.work)
            board.chapter()
            self._closing.settle(board)
            board.show(self._overview())
        self._tell()
        self._out.print(f"\n[bold]All {len(set(self._placed.values()))} orders[/]")
        self._board.summary()
        self._closing.show(self._out)
        if broken(self._closing.audit):
            self._problems.append("the audit is not clean")
        self._out.print(f"\n{len(set(self._placed.values()))} orders in {self._board.elapsed_s:.0f} s")
        return self._problems

    def _place_all(self, mark: str) -> None:
        self._board.chapter(len(self._day.placings))
        for placing in self._day.placings:
            self._place(placing, mark)
            self._board.step()
            self._board.show(self._overview())

    def _place(self, placing: Placing, mark: str) -> None:
        person = self._door.person(placing.role, placing.sub, placing.company)
        answer = person.post("/v1/orders", of_today(placing.body, mark), key=f"demo{mark}-{placing.key}")
        receipt = answer.document
        name = f"[bold]{receipt['number']}[/] {words(placing.body['channel'])}"
        if answer.is_replay:
            self._board.say(f"{name}: sent again under the same key, the first answer came back")
            if self._placed.get(placing.key) != receipt["order_id"]:
                self._problems.append(f"{placing.name} sent twice became two orders")
            return
        if placing.key in self._placed:
            self._problems.append(f"{placing.name} sent twice was not recognized")
        self._placed[placing.key] = receipt["order_id"]
        why = f" ({', '.join(receipt['reasons'])})" if receipt["reasons"] else ""
        self._board.say(f"{name}: {words(receipt['status'])}{why}")

    def _run_day(self, mark: str, reverse: Reverse) -> People:
        people = People(self._door, self._day, self._board, f"demo{mark}")
        self._board.chapter()
        reverse.cancel_part()
        while True:
            orders = self._overview()
            self._board.show(orders)
            resting = sum(self._is_at_rest(row) for row in orders)
            self._board.progress(resting, len(orders))
            if resting == len(orders):
                people.pay_out({row["order_id"] for row in orders})
                return people
            if self._board.elapsed_s > DAY_S:
                late = ", ".join(
                    f"{row['number']} ({words(row['status'])})" for row in orders if not self._is_at_rest(row)
                )
                self._problems.append(f"the day ended before these orders came to rest: {late}")
                return people
            if not people.work({row["order_id"]: row for row in orders}):
                time.sleep(_PAUSE_S)

    def _is_at_rest(self, row: Row) -> bool:
        """Whether nobody has anything to do on it today; who pays later rests once it has the goods."""
        is_waiting_for_money = row["status"] == "delivered" and row["customer_id"] in self._day.pays_later
        return row["status"] in _AT_REST or is_waiting_for_money

    def _overview(self) -> list[Row]:
        ours = set(self._placed.values())
        rows = self._door.person("auditor", self._day.people["auditor"]).rows("/v1/orders", sort="placed_at")
        return [row for row in rows if row["order_id"] in ours]

    def _tell(self) -> None:
        """The orders worth a closer look, one after another."""
        tours = [(tour, self._placed[tour.key]) for tour in self._day.tours if tour.key in self._placed]
        self._out.print(f"\n[bold]{len(tours)} orders from beginning to end[/]")
        names = {row["sub"]: row["name"] for row in documents.read("people")["people"]}
        reader = self._door.person("auditor", self._day.people["auditor"])
        at = walkthrough.places(self._door.base_url, temporal_ui(self._var))
        walkthrough.tell(self._out, reader, tours, names, at)


def of_today(body: Body, mark: str) -> Body:
    """The document with references of its own, so that a second day on one system is no duplicate of the first."""
    if not mark:
        return body
    payment = _marked(body["payment"], ("reference",), mark)
    return {**_marked(body, ("channel_ref", "po_number"), mark), "payment": payment}


def _marked(members: Body, names: Sequence[str], mark: str) -> Body:
    return {**members, **{name: f"{members[name]}/{mark}" for name in names if members.get(name)}}
